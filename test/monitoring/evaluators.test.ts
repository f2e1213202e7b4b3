import { expect, it, vi } from 'vitest';
import { sql, statement } from '../../src/logstore/sql/sql.ts';
import { type SqlDatabase, SqlError } from '../../src/logstore/sql/sql-database.ts';
import { alertDefinition } from '../../src/monitoring/alert-definition.ts';
import { metricDefinition, pointsRequest } from '../../src/monitoring/metric-definition.ts';
import { LEASE_MS, MonitorDatabase } from '../../src/monitoring/monitor-database.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeEachMonitorStore, type MonitorStore, WRITERS } from './monitor-store.ts';
import { pass, turnedMonitor, untilWaiting } from './turned-monitor.ts';

const NOW = 1_700_000_040_000;
const [WRITER] = WRITERS;
const METRIC = metricDefinition.parse({
  id: 'traffic',
  periodSeconds: 1,
  endOffsetSeconds: 1,
  startOffsetSeconds: 600,
});
const ALERT = alertDefinition.parse({
  id: 'busy',
  metric: 'traffic',
  level: 2,
  windowSeconds: 4,
  checkSeconds: 1,
});

/** The same store, seen by an aggregator that can be made to sleep within a call. */
function sleepy(store: MonitorStore) {
  let wake: (() => void) | undefined;
  let sleeping: Promise<void> | undefined;
  const database: SqlDatabase = {
    dialect: store.database.dialect,
    run: async (statements, options) => {
      await sleeping;
      return await store.database.run(statements, options);
    },
  };
  return {
    store: { ...store, database },
    fallAsleep: () => {
      sleeping = new Promise((resolve) => {
        wake = resolve;
      });
    },
    wakeUp: () => {
      sleeping = undefined;
      wake?.();
    },
  };
}

describeEachMonitorStore('several evaluators', (open) => {
  async function setUp() {
    const store = await open();
    const clock = new FakeClock(NOW);
    const burst = async (requests: number) => {
      const unixMs = Number(clock.nowUnixNano() / 1_000_000n);
      await store.flush(
        WRITER,
        Array.from({ length: requests }, () => ({ unixMs })),
      );
    };
    return { store, clock, burst };
  }

  it('run one at a time', async () => {
    const { store, clock, burst } = await setUp();
    const first = turnedMonitor(store, clock, 'first');
    const second = turnedMonitor(store, clock, 'second');
    await first.monitor.createMetric(METRIC);
    await first.monitor.createAlert(ALERT);
    await Promise.all([first.monitor.start(), second.monitor.start()]);
    await pass(clock, 2, { monitors: 2 });
    await burst(40);
    await pass(clock, 10, { monitors: 2 });
    const history = await second.monitor.alertHistory('busy', 10);
    expect(history.map(({ to }) => to)).toEqual(['ok', 'firing']);
    expect([...first.pager.told, ...second.pager.told]).toEqual(['firing busy', 'resolved busy']);
    expect(await first.monitor.points('traffic', pointsRequest.parse({}))).toHaveLength(1);
  });

  it('take over at once from one that stops', async () => {
    const { store, clock } = await setUp();
    const first = turnedMonitor(store, clock, 'first');
    await first.monitor.start();
    await untilWaiting(clock);
    await first.monitor.stop(new AbortController().signal);
    const second = turnedMonitor(store, clock, 'second');
    await second.monitor.start();
    await untilWaiting(clock);
    expect(await store.query(sql`select holder from leases`)).toEqual([{ holder: 'second' }]);
  });

  it('take over from a suspended one, which writes nothing when it resumes', async () => {
    const { store, clock, burst } = await setUp();
    const asleep = sleepy(store);
    const first = turnedMonitor(asleep.store, clock, 'first');
    const second = turnedMonitor(store, clock, 'second');
    await first.monitor.createMetric(METRIC);
    await first.monitor.createAlert(ALERT);
    await first.monitor.start();
    await untilWaiting(clock);
    await second.monitor.start();
    await pass(clock, 2, { monitors: 2 });
    await burst(40);
    await pass(clock, 2, { monitors: 2 });
    expect(first.pager.told).toEqual(['firing busy']);

    asleep.fallAsleep();
    await pass(clock, 40);
    // It had never opened it.
    expect(second.pager.told).toEqual(['resolved busy']);
    asleep.wakeUp();
    await pass(clock, 10, { monitors: 2 });
    expect((await second.monitor.alertHistory('busy', 10)).map(({ to }) => to)).toEqual(['ok', 'firing']);
    expect(first.pager.told).toEqual(['firing busy', 'resolved busy']);
    expect(await store.query(sql`select holder from leases`)).toEqual([{ holder: 'second' }]);
  });

  it('resolve pages that the previous one could not resolve', async () => {
    const { store, clock, burst } = await setUp();
    const first = turnedMonitor(store, clock, 'first');
    await first.monitor.createMetric(METRIC);
    await first.monitor.createAlert(ALERT);
    await first.monitor.start();
    await pass(clock, 2);
    await burst(40);
    await pass(clock, 2);
    await first.monitor.stop(new AbortController().signal);
    // As if it had written the end, and died.
    const at = new MonitorDatabase({ database: store.database, clock, holder: 'first' }).time(NOW * 1000);
    await store.query(sql`update alert_states set state = 'ok' where state <> 'ok'`);
    await store.query(sql`insert into alert_history (alert, segment, "at", from_state, to_state, observed, level, comparison)
      values ('busy', null, ${at}, 'firing', 'ok', 0, 2, '>')`);
    clock.jumpWallClock(10_000);
    const second = turnedMonitor(store, clock, 'second');
    await second.monitor.start();
    await untilWaiting(clock);
    expect(second.pager.told).toEqual(['resolved busy']);
  });

  it('close the page of an alert that another aggregator deleted', async () => {
    const { store, clock, burst } = await setUp();
    const first = turnedMonitor(store, clock, 'first');
    const second = turnedMonitor(store, clock, 'second');
    await first.monitor.createMetric(METRIC);
    await first.monitor.createAlert(ALERT);
    await first.monitor.start();
    await pass(clock, 2);
    await burst(40);
    await pass(clock, 2);
    await second.monitor.deleteAlert('busy');
    expect(second.pager.told).toEqual(['resolved busy']);
    await pass(clock, 5);
    expect(first.pager.told).toEqual(['firing busy', 'resolved busy']);
    expect(await store.query(sql`select * from alert_states`)).toEqual([]);
  });

  it('use definitions that another aggregator created', async () => {
    const { store, clock } = await setUp();
    const first = turnedMonitor(store, clock, 'first');
    await first.monitor.start();
    await untilWaiting(clock);
    await store.flush(WRITER, [{ unixMs: NOW - 5000 }]);
    await turnedMonitor(store, clock, 'second').monitor.createMetric(METRIC);
    await pass(clock, 6);
    expect(await first.monitor.points('traffic', pointsRequest.parse({}))).toHaveLength(1);
  });

  it('retry with pauses while the store cannot be used', async () => {
    const { store, clock } = await setUp();
    let isDown = true;
    let asked = 0;
    const database: SqlDatabase = {
      dialect: store.database.dialect,
      run: async (statements, options) => {
        if (!isDown) return await store.database.run(statements, options);
        asked++;
        throw new SqlError('unavailable', 'it is down');
      },
    };
    const { monitor, lines } = turnedMonitor({ ...store, database }, clock);
    await monitor.start();
    await pass(clock, 60);
    expect(asked).toBeLessThan(15);
    isDown = false;
    await pass(clock, 6);
    isDown = true;
    asked = 0;
    await pass(clock, 60);
    expect(asked).toBeLessThan(30);
    isDown = false;
    await pass(clock, 6);
    const told = lines.map(({ msg }) => msg).filter((msg) => msg.startsWith('The monitor can'));
    expect(told).toHaveLength(4);
  });
});

describeEachMonitorStore('the lease', (open) => {
  async function setUp() {
    const store = await open();
    const clock = new FakeClock(NOW);
    const holder = (name: string) => new MonitorDatabase({ database: store.database, clock, holder: name });
    return { store, clock, one: holder('one'), other: holder('other') };
  }

  it('is held by one aggregator until it expires or is released', async () => {
    const { clock, one, other } = await setUp();
    expect(await one.acquire()).toBe(true);
    expect(await one.acquire()).toBe(true);
    expect(await other.acquire()).toBe(false);
    await clock.advance(LEASE_MS - 1);
    expect(await other.acquire()).toBe(false);
    await clock.advance(1);
    expect(await other.acquire()).toBe(true);
    expect(await one.acquire()).toBe(false);
    await other.release();
    expect(await one.acquire()).toBe(true);
  });

  it('is required for every write', async () => {
    const { store, clock, one, other } = await setUp();
    const add = (database: MonitorDatabase) =>
      sql`insert into alert_history (alert, segment, "at", from_state, to_state, observed, level, comparison) 
        select 'x', null, now(), 'ok', 'ok', 0, 0, '>' where ${database.isHeld}`;
    await one.acquire();
    expect(await one.writeAsHolder([add(one)])).toHaveLength(1);
    await clock.advance(LEASE_MS + 10_000);
    await other.acquire();
    expect(await one.writeAsHolder([add(one)])).toBeUndefined();
    expect(await store.query(sql`select alert from alert_history`)).toHaveLength(1);
  });

  it('has a new term when it is taken again, but not when it is renewed', async () => {
    const { clock, one, other } = await setUp();
    await one.acquire();
    await one.acquire();
    expect(one.term).toBe(1);
    await clock.advance(LEASE_MS);
    await other.acquire();
    await clock.advance(LEASE_MS);
    await one.acquire();
    expect(one.term).toBe(2);
  });

  it('is not held any more if another aggregator had it in the middle of the statements', async ({
    skip,
  }) => {
    const { store, clock, one, other } = await setUp();
    if (store.database.dialect !== 'clickhouse') skip('the statements are one transaction there');
    const add = (database: MonitorDatabase, alert: string) =>
      sql`insert into alert_history (alert, segment, "at", from_state, to_state, observed, level, comparison)
        select ${alert}::text, null, now(), 'ok', 'ok', 0, 0, '>' where ${database.isHeld}`;
    await one.acquire();
    let statements = 0;
    store.beforeStatement = async () => {
      // After the first change, and before the second one.
      if (++statements !== 3) return;
      store.beforeStatement = () => Promise.resolve();
      await clock.advance(LEASE_MS + 10_000);
      expect(await other.acquire()).toBe(true);
      expect(await other.writeAsHolder([add(other, 'successor')])).toHaveLength(1);
      await other.release();
    };
    expect(await one.writeAsHolder([add(one, 'before'), add(one, 'late')])).toBeUndefined();
    expect(await one.acquire()).toBe(true);
    expect(one.term).toBe(2);
    const found = await store.query(sql`select alert from alert_history order by alert`);
    expect(found).toEqual([{ alert: 'before' }, { alert: 'successor' }]);
  });

  it('retries a write that lost against another writer, a limited number of times', async () => {
    const { store, clock } = await setUp();
    let refusals = 3;
    const database: SqlDatabase = {
      dialect: store.database.dialect,
      run: async (statements, options) => {
        if (refusals-- > 0) throw new SqlError('busy', 'a conflict');
        return await store.database.run(statements, options);
      },
    };
    const one = new MonitorDatabase({ database, clock, holder: 'one' });
    expect(await one.acquire()).toBe(true);
    refusals = Number.POSITIVE_INFINITY;
    await expect(one.release()).rejects.toMatchObject({ kind: 'busy' });
  });

  it('is checked again after a wait for it', async ({ skip }) => {
    const { store, one } = await setUp();
    if (store.database.dialect !== 'postgres') skip('a writer does not wait there');
    await one.acquire();
    const taken = store.database.run(
      [statement(sql`update leases set holder = 'other'`), statement(sql`select pg_sleep(0.5)`)],
      { timeoutMs: 10_000 },
    );
    await vi.waitFor(async () => {
      const sleeping = sql`select 1 as one from pg_stat_activity where wait_event = 'PgSleep'`;
      expect(await store.query(sleeping)).toHaveLength(1);
    });
    const add = sql`insert into alert_history (alert, segment, "at", from_state, to_state, observed, level, comparison) 
        select 'x', null, now(), 'ok', 'ok', 0, 0, '>' where ${one.isHeld}`;
    expect(await one.writeAsHolder([add])).toBeUndefined();
    await taken;
    expect(await store.query(sql`select * from alert_history`)).toEqual([]);
  });
});
