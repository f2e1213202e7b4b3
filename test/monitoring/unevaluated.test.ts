import { expect, it } from 'vitest';
import { SqlError } from '../../src/logstore/sql/sql-database.ts';
import { alertDefinition } from '../../src/monitoring/alert-definition.ts';
import { metricDefinition, pointsRequest } from '../../src/monitoring/metric-definition.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeEachMonitorStore, WRITERS } from './monitor-store.ts';
import { pass, turnedMonitor } from './turned-monitor.ts';

const NOW = 1_700_000_040_000;
const [WRITER] = WRITERS;
const METRIC = { id: 'spread', statistic: 'stddev', property: 'v', periodSeconds: 1, endOffsetSeconds: 1 };
const ALERT = {
  id: 'wide',
  metric: 'spread',
  level: 2,
  statistic: 'max',
  windowSeconds: 60,
  checkSeconds: 1,
};
const HUGE = [1.797_693_134_862_315_7e308, -1.797_693_134_862_315_7e308, 3];

describeEachMonitorStore('a bucket that the database cannot compute', (open) => {
  async function setUp(metric: object = {}) {
    const store = await open();
    const clock = new FakeClock(NOW);
    const turned = turnedMonitor(store, clock);
    await turned.monitor.start();
    await turned.monitor.createMetric(
      metricDefinition.parse({ ...METRIC, startOffsetSeconds: 600, ...metric }),
    );
    await turned.monitor.createAlert(alertDefinition.parse(ALERT));
    const write = async (values: readonly (number | string)[]) => {
      const unixMs = Number(clock.nowUnixNano() / 1_000_000n) + 500;
      await store.flush(
        WRITER,
        values.map((v) => ({ unixMs, attributes: { v } })),
      );
      await pass(clock, 1);
    };
    return { store, clock, ...turned, write };
  }

  it('is set aside with the reason, while other buckets and the alert are computed', async () => {
    const { monitor, clock, write } = await setUp();
    await write([1, 1]);
    await write(HUGE);
    await write([1, 9]);
    await pass(clock, 3);
    const points = await monitor.points('spread', pointsRequest.parse({}));
    expect(points.map(({ value }) => (value === null ? null : Math.round(value)))).toEqual([6, null, 0]);
    expect(points[1]?.problem).toMatch(/range|large/i);
    expect((await monitor.alert('wide')).states).toMatchObject([{ state: 'firing' }]);
  });

  it.each(['avg', 'min', 'max', 'stddev', 'variance', 'p50', 'p99', 'count'])(
    'leaves no other bucket without its %s, whatever numbers there are',
    async (statistic) => {
      const { monitor, clock, write } = await setUp({ statistic });
      await write([
        ...HUGE,
        'NaN',
        'Infinity',
        '1e400',
        '1'.repeat(40),
        '9'.repeat(250),
        '0.'.padEnd(200, '0'),
      ]);
      await write([5, 5]);
      await pass(clock, 3);
      const [newest] = await monitor.points('spread', pointsRequest.parse({}));
      expect(newest).toMatchObject({ count: 2 });
      expect(newest?.value).not.toBeNull();
    },
  );

  it('is computed without late records, and again after they arrive', async () => {
    const { monitor, store, clock, write } = await setUp();
    await write(HUGE);
    await pass(clock, 3);
    const meta = await monitor.metric('spread');
    expect(meta.setAside).toEqual([{ time: '2023-11-14T22:14:00.000Z', reason: expect.any(String) }]);
    await store.query(deleteHuge());
    await store.flush(WRITER, [
      { unixMs: NOW + 100, attributes: { v: 4 } },
      { unixMs: NOW + 200, attributes: { v: 4 } },
    ]);
    await pass(clock, 3);
    expect((await monitor.metric('spread')).setAside).toBeUndefined();
    expect(await monitor.points('spread', pointsRequest.parse({}))).toMatchObject([{ value: 0, count: 2 }]);
  });
});

function deleteHuge() {
  return { parts: ['delete from log_records'], values: [] };
}

describeEachMonitorStore('an alert that cannot be checked', (open) => {
  it('pages after a while, is shown as a problem, and is resolved when it can be checked', async () => {
    const store = await open();
    const clock = new FakeClock(NOW);
    const { monitor, pager } = turnedMonitor(store, clock);
    await monitor.start();
    await monitor.createMetric(metricDefinition.parse({ ...METRIC, startOffsetSeconds: 600 }));
    await monitor.createAlert(alertDefinition.parse(ALERT));
    await pass(clock, 5);
    store.beforeStatement = () => Promise.reject(new SqlError('unavailable', 'the disk is gone'));
    await pass(clock, 20);
    expect(pager.told).toEqual([]);
    await pass(clock, 60);
    expect(pager.told).toEqual([expect.stringMatching(/^cannot evaluate wide: .*the disk is gone/)]);
    expect(monitor.evaluationProblems).toMatchObject([{ alert: 'wide' }]);
    store.beforeStatement = () => Promise.resolve();
    await pass(clock, 60);
    expect(pager.told.at(-1)).toBe('can evaluate wide');
    expect(monitor.evaluationProblems).toEqual([]);
    expect((await monitor.alert('wide')).problem).toBeUndefined();
  });

  it('also pages if no bucket of its window has a value', async () => {
    const store = await open();
    const clock = new FakeClock(NOW);
    const { monitor, pager } = turnedMonitor(store, clock);
    await monitor.start();
    // Each change of rows is a mutation in ClickHouse, so there are fewer of them.
    const seconds = store.database.dialect === 'clickhouse' ? 10 : 1;
    await monitor.createMetric(
      metricDefinition.parse({ ...METRIC, startOffsetSeconds: 600, periodSeconds: seconds }),
    );
    await monitor.createAlert(
      alertDefinition.parse({ ...ALERT, windowSeconds: seconds, checkSeconds: seconds }),
    );
    for (let step = 0; step < 90 / seconds; step++) {
      const unixMs = Number(clock.nowUnixNano() / 1_000_000n) + 500;
      await store.flush(
        WRITER,
        HUGE.map((v) => ({ unixMs, attributes: { v } })),
      );
      await pass(clock, seconds);
    }
    expect((await monitor.metric('spread')).setAside?.length).toBeGreaterThan(30 / seconds);
    expect(pager.told).toEqual([
      expect.stringMatching(/^cannot evaluate wide: the metric spread has no value in the window: .*range/i),
    ]);
    expect((await monitor.alert('wide')).problem?.reason).toContain('spread has no value in the window');
    expect(monitor.evaluationProblems).toMatchObject([{ alert: 'wide' }]);

    for (let step = 0; step < 15 / Math.min(seconds, 5); step++) {
      const unixMs = Number(clock.nowUnixNano() / 1_000_000n) + 500;
      await store.flush(
        WRITER,
        [4, 4].map((v) => ({ unixMs, attributes: { v } })),
      );
      await pass(clock, seconds);
    }
    expect(pager.told.at(-1)).toBe('can evaluate wide');
    expect((await monitor.alert('wide')).problem).toBeUndefined();
  });
});
