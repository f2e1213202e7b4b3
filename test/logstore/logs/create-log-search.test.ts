import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import {
  type RunOptions,
  type SqlDatabase,
  SqlError,
  type SqlRow,
} from '../../../src/logstore/sql/sql-database.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Answers the same to everything, and takes two seconds for it. */
function slowDatabase(clock: FakeClock, rows: readonly SqlRow[]) {
  const asked: RunOptions[] = [];
  const database: SqlDatabase = {
    dialect: 'duckdb',
    run: async (_, options) => {
      asked.push(options);
      await clock.advance(2000);
      return [rows];
    },
  };
  return { asked, database };
}

test('a request has one time limit for all its statements, and only reads', async () => {
  const clock = new FakeClock();
  const rows = [{ writer_id: 'w', last_flush: 3, min_micro: 1, max_micro: 2, characters: 1, time_micro: 1 }];
  const { asked, database } = slowDatabase(clock, rows);
  const logs = createLogSearch(database, { clock, timeoutMs: 5000 });
  const tail = logs.tail({}, new Map([['w', 2]]));
  await expect(tail).rejects.toThrow();
  expect(asked).toEqual([5000, 3000, 1000, 1].map((timeoutMs) => ({ timeoutMs, isReadOnly: true })));
  await logs.histogram({ intervalSeconds: 60 }).catch(() => undefined);
  expect(asked.at(-1)?.timeoutMs).toBe(5000);
});

test('returns the message of the store for an error', async () => {
  const error = new SqlError('unavailable', 'the file is damaged');
  const database: SqlDatabase = { dialect: 'postgres', run: () => Promise.reject(error) };
  const logs = createLogSearch(database, { clock: new FakeClock() });
  await expect(logs.search({ limit: 1 })).rejects.toBe(error);
  await expect(logs.histogram({})).rejects.toBe(error);
  await expect(logs.values({ property: 'body', limit: 1 })).rejects.toBe(error);
  await expect(logs.tail({}, undefined)).rejects.toBe(error);
});
