import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'lmdb';
import { describe, expect, test } from 'vitest';
import { migrateLayout } from '../../../src/storage/state/layout.ts';
import { openStateStore } from '../../../src/storage/state/state-store.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** As version 0.1.0 wrote them: the text alone. */
async function writeOldRows(directory: string, rows: readonly (readonly [string | number, string])[]) {
  await mkdir(directory);
  const root = open<string, (string | number)[]>({
    path: directory,
    noSubdir: false,
    pageSize: 4096,
    encoding: 'string',
    compression: false,
    cache: false,
    overlappingSync: false,
    eventTurnBatching: false,
  });
  await root.batch(() => {
    for (const [key, text] of rows) void root.put(['entry', key], text);
  });
  await root.close();
}

describe('a directory of layout 1', () => {
  test('keeps its rows and adds a checksum to each; a second run changes nothing', async () => {
    const path = await temporaryDirectory();
    const numbers = Array.from({ length: 2500 }, (_, number) => number);
    await writeOldRows(
      join(path, 'state'),
      numbers.map((number) => [number, JSON.stringify({ number })]),
    );
    await writeOldRows(join(path, 'notify'), [['incidents', '{"version":1,"incidents":[]}']]);
    await expect(openStateStore(join(path, 'state'))).rejects.toThrow('is not what was written');
    await migrateLayout(path);
    await migrateLayout(path);
    const store = await openStateStore(join(path, 'state'));
    expect([...store.table<{ number: number }>('entry').entries()].map(({ value }) => value.number)).toEqual(
      numbers,
    );
    await store.close();
    const notify = await openStateStore(join(path, 'notify'));
    expect(notify.table('entry').get('incidents')).toEqual({ version: 1, incidents: [] });
    await notify.close();
  });

  test('is rejected when a row is not JSON', async () => {
    const path = await temporaryDirectory();
    await writeOldRows(join(path, 'state'), [['a', '{"number":']]);
    await expect(migrateLayout(path)).rejects.toThrow('row ["entry","a"] is not JSON');
  });

  test('is migrated when its notification store is damaged', async () => {
    const path = await temporaryDirectory();
    await writeOldRows(join(path, 'state'), [['a', '1']]);
    await mkdir(join(path, 'notify'));
    await writeFile(join(path, 'notify', 'data.mdb'), 'no database');
    await migrateLayout(path);
    expect(await readFile(join(path, 'notify', 'data.mdb'), 'utf8')).toBe('no database');
    const store = await openStateStore(join(path, 'state'));
    expect(store.table('entry').get('a')).toBe(1);
    await store.close();
  });
});
