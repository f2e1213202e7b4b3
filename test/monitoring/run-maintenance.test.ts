import { expect, it } from 'vitest';
import { sql } from '../../src/logstore/sql/sql.ts';
import { MonitorDatabase } from '../../src/monitoring/monitor-database.ts';
import { daysToDelete, RETENTION_LIMITS, runMaintenance } from '../../src/monitoring/run-maintenance.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeEachMonitorStore } from './monitor-store.ts';

const DAY = 86_400_000_000;

it('deletes the oldest days of too many rows, but never the newest day', () => {
  const days = [
    { owner: 'a', day: 9 * DAY, rows: 50 },
    { owner: 'a', day: 8 * DAY, rows: 50 },
    { owner: 'a', day: 7 * DAY, rows: 1 },
    { owner: 'a', day: 6 * DAY, rows: 1 },
    { owner: 'b', day: 9 * DAY, rows: 1000 },
    { owner: 'c', day: 9 * DAY, rows: 1 },
    { owner: 'c', day: 1 * DAY, rows: 1 },
  ];
  expect(daysToDelete(days, 2 * DAY, 100).map(({ owner, day }) => [owner, day / DAY])).toEqual([
    ['a', 7],
    ['c', 1],
  ]);
});

describeEachMonitorStore('housekeeping', (open) => {
  it('deletes points and history that are too old', async () => {
    const store = await open();
    const clock = new FakeClock();
    const database = new MonitorDatabase({ database: store.database, clock, holder: 'one' });
    await database.acquire();
    const now = database.nowUnixMicro;
    for (const days of [0, 100, RETENTION_LIMITS.days + 2]) {
      const time = database.time(now - days * DAY);
      await store.query(
        sql`insert into metric_points (metric, bucket, segment, value, count) values ('m', ${time}, null, ${days}::float8, 1)`,
      );
      await store.query(
        sql`insert into alert_history (alert, segment, "at", from_state, to_state, observed, level, comparison) values ('a', null, ${time}, 'ok', 'ok', ${days}::float8, 0, '>')`,
      );
    }
    await runMaintenance(database);
    expect(await store.query(sql`select value from metric_points order by value`)).toEqual([
      { value: 0 },
      { value: 100 },
    ]);
    expect(await store.query(sql`select observed from alert_history order by observed`)).toHaveLength(2);
  });
});
