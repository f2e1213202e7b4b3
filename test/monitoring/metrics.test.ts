import { expect, it } from 'vitest';
import { sql } from '../../src/logstore/sql/sql.ts';
import { SqlError } from '../../src/logstore/sql/sql-database.ts';
import { metricDefinition, pointsRequest } from '../../src/monitoring/metric-definition.ts';
import type { Monitor } from '../../src/monitoring/monitor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeEachMonitorStore, type MonitorStore, type TestRecord, WRITERS } from './monitor-store.ts';
import { pass, turnedMonitor, untilWaiting } from './turned-monitor.ts';

/** On a whole minute. */
const NOW = 1_700_000_040_000;
const [WRITER, OTHER_WRITER] = WRITERS;

function at(secondsAgo: number, more: Partial<TestRecord> = {}): TestRecord {
  return { unixMs: NOW - secondsAgo * 1000, ...more };
}

/** `[seconds before NOW, segment, value]`, newest first. */
async function pointsOf(monitor: Monitor, id: string, request = {}) {
  const points = await monitor.points(id, pointsRequest.parse(request));
  return points.map(({ time, segment, value }) => [(NOW - Date.parse(time)) / 1000, segment, value]);
}

/** A statement that computes points: of this program, or of TimescaleDB. */
const COMPUTES = /insert into metric_points|refresh_continuous_aggregate/;

/** The next evaluator computes everything again. A continuous aggregate stays. */
async function forgetPositions(store: MonitorStore): Promise<void> {
  const kept =
    store.database.dialect === 'postgres'
      ? sql`case when watermark like '{"aggregate"%'
          then jsonb_set(watermark::jsonb, '{position}', 'null')::text end`
      : sql`null`;
  await store.query(sql`update metrics set watermark = ${kept} where true`);
}

describeEachMonitorStore('metrics', (open) => {
  async function setUp() {
    const store = await open();
    const clock = new FakeClock(NOW);
    return { store, clock, ...turnedMonitor(store, clock) };
  }

  it('are created, listed and found with all defaults', async () => {
    const { monitor } = await setUp();
    const report = await monitor.createMetric(metricDefinition.parse({ id: 'requests' }));
    expect(report).toEqual({
      definition: {
        id: 'requests',
        statistic: 'count',
        property: '*',
        periodSeconds: 60,
        refreshSeconds: 60,
        startOffsetSeconds: 86_400,
        endOffsetSeconds: 60,
      },
      createdAt: '2023-11-14T22:14:00.000Z',
      refreshedAt: null,
      points: 0,
    });
    expect(await monitor.metrics()).toEqual([report]);
    expect(await monitor.metric('requests')).toEqual(report);
    expect(await pointsOf(monitor, 'requests')).toEqual([]);
  });

  it('are unique, and deleted completely', async () => {
    const { monitor } = await setUp();
    const definition = metricDefinition.parse({ id: 'requests' });
    await monitor.createMetric(definition);
    await expect(monitor.createMetric(definition)).rejects.toMatchObject({ kind: 'exists' });
    await monitor.deleteMetric('requests');
    await expect(monitor.deleteMetric('requests')).rejects.toMatchObject({ kind: 'not-found' });
    await expect(monitor.metric('requests')).rejects.toMatchObject({ kind: 'not-found' });
    await expect(pointsOf(monitor, 'requests')).rejects.toMatchObject({ kind: 'not-found' });
    await monitor.createMetric(definition);
  });

  it.each([
    [
      { statistic: 'avg', property: 'url.path' },
      'Cannot compute avg of url.path: it is text, which can only be counted.',
    ],
    [{ statistic: 'p95', property: 'section(path)' }, /: it is text/],
    [{ statistic: 'max', property: 'time' }, /: it is a time/],
    [{ startOffsetSeconds: 100 }, /at least 120/],
    [{ periodSeconds: 1, startOffsetSeconds: 31_622_400 }, /at most 1000000 periods of 1 s/],
  ])('are rejected if they are not possible: %j', async (definition, message) => {
    const { monitor } = await setUp();
    const refused = monitor.createMetric(metricDefinition.parse({ id: 'x', ...definition }));
    await expect(refused).rejects.toMatchObject({ kind: 'invalid', message: expect.stringMatching(message) });
  });

  it('contain the observations of the complete buckets within the start offset', async () => {
    const { monitor, store, clock } = await setUp();
    await store.flush(WRITER, [at(5), at(15), at(15.5), at(20), at(30.001), at(95), at(130)]);
    await monitor.createMetric(
      metricDefinition.parse({ id: 'requests', periodSeconds: 10, startOffsetSeconds: 100 }),
    );
    await monitor.start();
    await untilWaiting(clock);
    expect(await pointsOf(monitor, 'requests')).toEqual([
      [20, null, 3],
      [40, null, 1],
      [100, null, 1],
    ]);
    expect(await monitor.metric('requests')).toMatchObject({
      refreshedAt: '2023-11-14T22:14:00.000Z',
      points: 3,
    });
    await pass(clock, 10);
    expect(await pointsOf(monitor, 'requests', { limit: 2 })).toEqual([
      [10, null, 1],
      [20, null, 3],
    ]);
  });

  it.each([
    ['count', 4],
    ['avg', 4],
    ['min', 1],
    ['max', 10],
    ['stddev', Math.sqrt(50 / 3)],
    ['variance', 50 / 3],
    ['p50', 2.5],
    ['p95', 8.95],
    ['p99', 9.79],
  ])('%s of a property', async (statistic, expected) => {
    const { monitor, store, clock } = await setUp();
    const bytes = [1, 2, 3, 10].map((each) => at(100, { bytes: each, attributes: { took: each } }));
    await store.flush(WRITER, [...bytes, at(100), at(100, { attributes: { took: 'long' } })]);
    for (const property of ['response_bsize', 'took']) {
      const id = property === 'took' ? 'took' : 'bytes';
      await monitor.createMetric(metricDefinition.parse({ id, statistic, property }));
    }
    await monitor.start();
    await untilWaiting(clock);
    const [bytesPoint] = await monitor.points('bytes', pointsRequest.parse({}));
    expect(bytesPoint).toMatchObject({ count: 4, segment: null });
    expect(bytesPoint?.value).toBeCloseTo(expected, 9);
    const [tookPoint] = await monitor.points('took', pointsRequest.parse({}));
    if (statistic !== 'count') expect(tookPoint?.value).toBeCloseTo(expected, 9);
  });

  it('have a value for each segment, and one for records without the property', async () => {
    const { monitor, store, clock } = await setUp();
    await store.flush(WRITER, [
      at(90, { path: '/a/x' }),
      at(91, { path: '/a/y' }),
      at(92, { path: '/b' }),
      at(93),
    ]);
    await monitor.createMetric(metricDefinition.parse({ id: 'routes', segment: 'section(url.path)' }));
    await monitor.start();
    await untilWaiting(clock);
    const points = await pointsOf(monitor, 'routes');
    expect(points[0]).toEqual([120, 'a', 2]);
    expect(points.slice(1)).toEqual(
      expect.arrayContaining([
        [120, 'b', 1],
        [120, null, 1],
      ]),
    );
    expect(await pointsOf(monitor, 'routes', { segment: 'b' })).toEqual([[120, 'b', 1]]);
  });

  it('use only records that match the filter', async () => {
    const { monitor, store, clock } = await setUp();
    await store.flush(WRITER, [at(90, { status: 500 }), at(90, { status: 404 }), at(90)]);
    const filter = { where: [{ property: 'status_code', value: '500' }] };
    await monitor.createMetric(metricDefinition.parse({ id: 'errors', filter }));
    await monitor.start();
    await untilWaiting(clock);
    expect(await pointsOf(monitor, 'errors')).toEqual([[120, null, 1]]);
  });

  it('are computed again for late records within the start offset', async () => {
    const { monitor, store, clock } = await setUp();
    await store.flush(WRITER, [at(100), at(5000)]);
    await monitor.createMetric(metricDefinition.parse({ id: 'requests', startOffsetSeconds: 3600 }));
    await monitor.start();
    await untilWaiting(clock);
    expect(await pointsOf(monitor, 'requests')).toEqual([[120, null, 1]]);
    await store.flush(OTHER_WRITER, [at(110), at(1000), at(5000)]);
    await pass(clock, 60);
    expect(await pointsOf(monitor, 'requests')).toEqual([
      [120, null, 2],
      [1020, null, 1],
    ]);
  });

  it('include records that arrived long before their bucket was complete', async () => {
    const { monitor, store, clock } = await setUp();
    await store.flush(WRITER, [at(-90)]);
    await monitor.createMetric(metricDefinition.parse({ id: 'requests' }));
    await monitor.start();
    await pass(clock, 240, { step: 60 });
    expect(await pointsOf(monitor, 'requests')).toEqual([[-60, null, 1]]);
  });

  it('include records that are stored at any moment of a refresh', async () => {
    const { monitor, store, clock } = await setUp();
    const definition = { id: 'requests', periodSeconds: 10, startOffsetSeconds: 3600, refreshSeconds: 1 };
    await monitor.createMetric(metricDefinition.parse(definition));
    await monitor.start();
    await untilWaiting(clock);
    let records = 0;
    for (let moment = 0; moment < 8; moment++) {
      let statements = 0;
      await store.flush(OTHER_WRITER, [at(1000)]);
      store.beforeStatement = async () => {
        if (statements++ !== moment) return;
        await store.flush(WRITER, [at(1000), at(2000)]);
        records += 2;
      };
      records++;
      await pass(clock, 2);
      store.beforeStatement = () => Promise.resolve();
      await pass(clock, 2);
      const points = await monitor.points('requests', pointsRequest.parse({}));
      expect([moment, points.reduce((all, { count }) => all + count, 0)]).toEqual([moment, records]);
    }
    expect(records).toBe(24);
  });

  it('are computed again after a pause that is longer than the retention of touched minutes', async () => {
    const { monitor, store, clock } = await setUp();
    const definition = metricDefinition.parse({ id: 'requests', startOffsetSeconds: 10 * 86_400 });
    await monitor.createMetric(definition);
    await monitor.start();
    await untilWaiting(clock);
    await monitor.stop(new AbortController().signal);
    await store.flush(WRITER, [at(1000)]);
    await store.query(sql`delete from touched_minutes`);
    clock.jumpWallClock(2 * 86_400_000);
    const again = turnedMonitor(store, clock, 'second');
    await again.monitor.start();
    await pass(clock, 10);
    expect(await pointsOf(monitor, 'requests')).toEqual([[1020, null, 1]]);
  });

  it('are also computed again after a long suspension', async () => {
    const { monitor, store, clock } = await setUp();
    const definition = metricDefinition.parse({ id: 'requests', startOffsetSeconds: 10 * 86_400 });
    await monitor.createMetric(definition);
    await monitor.start();
    await pass(clock, 10);
    clock.jumpWallClock(3 * 86_400_000);
    await store.flush(WRITER, [at(1000)]);
    await store.query(sql`delete from touched_minutes`);
    await pass(clock, 70);
    expect(await pointsOf(monitor, 'requests')).toEqual([[1020, null, 1]]);
  });

  it('are kept when the records are deleted by age', async () => {
    const { monitor, store, clock } = await setUp();
    await store.flush(WRITER, [at(7200)]);
    await monitor.createMetric(metricDefinition.parse({ id: 'requests' }));
    await monitor.start();
    await untilWaiting(clock);
    await store.query(sql`delete from log_records`);
    await monitor.stop(new AbortController().signal);
    await forgetPositions(store);
    await turnedMonitor(store, clock, 'second').monitor.start();
    await untilWaiting(clock);
    expect(await pointsOf(monitor, 'requests')).toEqual([[7200, null, 1]]);
  });

  it('keep the segments with the most records, and report it', async () => {
    const { monitor, store, clock, lines } = await setUp();
    const records = Array.from({ length: 1100 }, (_, index) => at(100, { path: `/${index}` }));
    await store.flush(WRITER, [...records, at(100, { path: '/busy' }), at(100, { path: '/busy' })]);
    await monitor.createMetric(metricDefinition.parse({ id: 'paths', segment: 'url.path' }));
    await monitor.start();
    await untilWaiting(clock);
    const points = await monitor.points('paths', pointsRequest.parse({}));
    expect(points).toHaveLength(1000);
    expect(points[0]).toMatchObject({ segment: '/busy', value: 2 });
    expect(lines).toContainEqual(expect.objectContaining({ metric: 'paths', level: 40 }));
  });

  it('are reported if they cannot be read or computed, without delaying others', async () => {
    const { monitor, store, clock, lines } = await setUp();
    await store.flush(WRITER, [at(100)]);
    await store.query(
      sql`insert into metrics (id, definition, created_at) values ('broken', '{"id":', now())`,
    );
    await store.query(
      sql`insert into metrics (id, definition, created_at) values ('newer', '{"id":"newer","x":1}', now())`,
    );
    await monitor.createMetric(metricDefinition.parse({ id: 'requests' }));
    await monitor.start();
    await untilWaiting(clock);
    expect(await pointsOf(monitor, 'requests')).toEqual([[120, null, 1]]);
    expect((await monitor.metrics()).map(({ definition }) => definition.id)).toEqual(['requests']);
    expect(lines.filter(({ level }) => level === 50)).toMatchObject([{ id: 'broken' }, { id: 'newer' }]);
    await expect(monitor.metric('broken')).rejects.toMatchObject({ kind: 'invalid' });
    await monitor.deleteMetric('broken');
  });

  it('start again when they are deleted and created again', async () => {
    const { monitor, store, clock } = await setUp();
    await store.flush(WRITER, [at(100, { path: '/a' })]);
    await monitor.createMetric(metricDefinition.parse({ id: 'requests' }));
    await monitor.start();
    await pass(clock, 1);
    await monitor.deleteMetric('requests');
    expect(await store.query(sql`select * from metric_points`)).toEqual([]);
    await monitor.createMetric(metricDefinition.parse({ id: 'requests', segment: 'url.path' }));
    await pass(clock, 1);
    expect(await pointsOf(monitor, 'requests')).toEqual([[120, '/a', 1]]);
  });

  it('are computed in smaller steps when the store takes too long, and reported once', async () => {
    const { monitor, store, clock, lines } = await setUp();
    await store.flush(WRITER, [at(100), at(50_000), at(80_000)]);
    await monitor.createMetric(metricDefinition.parse({ id: 'requests' }));
    const run = store.database.run.bind(store.database);
    let slow = 0;
    Object.assign(store.database, {
      run: async (...args: Parameters<typeof run>) => {
        const isComputed = args[0].some(({ text }) => COMPUTES.test(text));
        if (isComputed && slow++ < 3) throw new SqlError('timeout', 'it takes too long');
        return await run(...args);
      },
    });
    await monitor.start();
    await pass(clock, 300, { step: 10 });
    expect((await pointsOf(monitor, 'requests')).map(([, , value]) => value)).toEqual([1, 1, 1]);
    const reported = lines.filter(({ metric, view }) => metric === 'requests' && view === undefined);
    expect(reported.map(({ msg }) => msg)).toEqual([
      expect.stringContaining('Cannot refresh a metric: '),
      'The metric can be refreshed again',
    ]);
  });

  it('do not delay others when one fails', async () => {
    const { monitor, store, clock } = await setUp();
    await store.flush(WRITER, [at(100)]);
    for (const id of ['a', 'b']) await monitor.createMetric(metricDefinition.parse({ id }));
    const run = store.database.run.bind(store.database);
    Object.assign(store.database, {
      run: async (...args: Parameters<typeof run>) => {
        const isOfA = args[0].some(
          ({ text, values }) => COMPUTES.test(text) && /^a$|"metric_view_a_/.test(String(values[0])),
        );
        if (isOfA) throw new SqlError('statement', 'out of range');
        return await run(...args);
      },
    });
    await monitor.start();
    await untilWaiting(clock);
    expect(await pointsOf(monitor, 'a')).toEqual([]);
    expect(await pointsOf(monitor, 'b')).toEqual([[120, null, 1]]);
  });

  it('are limited in number', async () => {
    const { monitor, store } = await setUp();
    const definition = JSON.stringify(metricDefinition.parse({ id: 'x' }));
    await store.query(sql`insert into metrics (id, definition, created_at)
      select 'x' || number::text, ${definition}::text, now() from generate_series(1, 500) as series(number)`);
    await expect(monitor.createMetric(metricDefinition.parse({ id: 'one_more' }))).rejects.toMatchObject({
      kind: 'invalid',
      message: 'Cannot create the metric: at most 500 are possible. Delete another one first.',
    });
    await expect(monitor.createMetric(metricDefinition.parse({ id: 'x7' }))).rejects.toMatchObject({
      kind: 'exists',
    });
  });

  it('write only their position once a minute while nothing happens', async () => {
    const { monitor, store, clock } = await setUp();
    await monitor.createDefaults();
    await monitor.deleteAlert('totaltraffic');
    await monitor.start();
    await pass(clock, 10);
    let writes = 0;
    const run = store.database.run.bind(store.database);
    Object.assign(store.database, {
      run: (...args: Parameters<typeof run>) => {
        if (args[0].some(({ text }) => text.includes('metric_points') || text.includes('update metrics')))
          writes++;
        return run(...args);
      },
    });
    await pass(clock, 45);
    expect(writes).toBe(0);
    await pass(clock, 20);
    expect(writes).toBe(2);
  });

  it('have defaults, which are not replaced', async () => {
    const { monitor } = await setUp();
    const names = ['total_traffic', 'total_traffic_per_route', 'totaltraffic'];
    expect(await monitor.createDefaults()).toEqual({ created: names, existing: [] });
    await monitor.deleteAlert('totaltraffic');
    expect(await monitor.createDefaults()).toEqual({
      created: ['totaltraffic'],
      existing: names.slice(0, 2),
    });
    expect((await monitor.metric('total_traffic_per_route')).definition).toEqual({
      id: 'total_traffic_per_route',
      statistic: 'count',
      property: '*',
      periodSeconds: 10,
      startOffsetSeconds: 86_400,
      endOffsetSeconds: 10,
      refreshSeconds: 10,
      segment: 'section(url.path)',
    });
  });
});
