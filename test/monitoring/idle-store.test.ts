import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { SqlDatabase } from '../../src/logstore/sql/sql-database.ts';
import type { AlertPager } from '../../src/monitoring/alert-pager.ts';
import { createMonitor } from '../../src/monitoring/create-monitor.ts';
import { FakeClock } from '../support/fake-clock.ts';

const PAGER = { open: () => [], resolved: () => {} } as unknown as AlertPager;

/** A store that grants the lease and has no definitions. */
async function monitorOf(dialect: SqlDatabase['dialect']) {
  let queries = 0;
  const database: SqlDatabase = {
    dialect,
    run: async (statements) => {
      queries++;
      return statements.map(({ text }) => (text.startsWith('update leases') ? [{ holder: 'me' }] : []));
    },
  };
  const clock = new FakeClock(1_700_000_000_000);
  const logger = pino({ level: 'silent' });
  const monitor = createMonitor({ database, clock, logger, pager: PAGER, holder: 'me' });
  onTestFinished(() => monitor.stop(AbortSignal.abort()));
  await monitor.start();
  await clock.advance(5_000);
  const queriesIn = async (ms: number) => {
    const before = queries;
    for (let passed = 0; passed < ms; passed += 5_000) await clock.advance(5_000);
    return queries - before;
  };
  return { queriesIn };
}

test('without definitions, the store of one process is queried once a minute', async () => {
  const { queriesIn } = await monitorOf('duckdb');
  await queriesIn(10_000);
  expect(await queriesIn(120_000)).toBeLessThanOrEqual(4);
});

test('a store that other aggregators may share is queried as often as before: they create definitions too', async () => {
  const { queriesIn } = await monitorOf('postgres');
  await queriesIn(10_000);
  expect(await queriesIn(120_000)).toBeGreaterThanOrEqual(40);
});
