import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { SmallDisk } from '../../../testkit/small-disk.ts';
import { fullDisk, nearlyFullDisk } from '../faults.ts';
import { type ChaosStore, ROWS, type StoredRow } from './chaos-store.ts';

/** A file, on a separate disk if possible. */
export function duckdbStore(directory: string, disk: SmallDisk | undefined): ChaosStore {
  const path = join(directory, 'logs.duckdb');
  return {
    environment: { AGGREGATOR_DUCKDB_CONFIGURATION: JSON.stringify({ path }) },
    faults:
      disk === undefined
        ? []
        : [nearlyFullDisk(disk), fullDisk(disk)].map((fault) => ({
            ...fault,
            name: fault.name.replace('of the states', 'of the store'),
            stopsDelivery: true,
          })),
    rows: () => rowsOf(path),
    close: async () => {},
  };
}

async function* rowsOf(path: string): AsyncIterable<readonly StoredRow[]> {
  const database = await DuckDBInstance.create(path);
  const connection = await database.connect();
  try {
    const result = await connection.stream(ROWS);
    for await (const rows of result.yieldRowObjectJson()) {
      // A bigint is returned as text.
      yield (rows as unknown as StoredRow[]).map((row) => ({ ...row, position: Number(row.position) }));
    }
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}
