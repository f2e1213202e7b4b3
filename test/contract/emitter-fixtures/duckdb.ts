import { copyFile, mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

export const duckdbFixture: EmitterFixture = {
  type: 'duckdb',
  open: async () => {
    const directory = await temporaryDirectory();
    const path = join(directory, 'logs.duckdb');
    return {
      value: JSON.stringify({ path }),
      bodies: () => bodiesOf(path),
      refuse: async () => {
        await mkdir(path);
        return () => rmdir(path);
      },
    };
  },
};

/** Reads a copy: a second database of one process on the same file would corrupt it. */
async function bodiesOf(path: string): Promise<readonly string[]> {
  const copy = join(await temporaryDirectory(), 'copy.duckdb');
  await copyFile(path, copy);
  // Absent after a checkpoint.
  await copyFile(`${path}.wal`, `${copy}.wal`).catch(() => undefined);
  const instance = await DuckDBInstance.create(copy);
  const connection = await instance.connect();
  const result = await connection.runAndReadAll('select body from log_records order by rowid');
  connection.disconnectSync();
  instance.closeSync();
  return result.getRows().map(([body]) => String(body));
}
