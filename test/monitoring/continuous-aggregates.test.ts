import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sql } from '../../src/logstore/sql/sql.ts';
import { sqlName } from '../../src/logstore/sql/sql-name.ts';
import { textOf } from '../../src/logstore/sql/sql-row.ts';
import type { LogGroupDefinition } from '../../src/monitoring/log-group-definition.ts';
import {
  type MetricDefinition,
  metricDefinition,
  pointsRequest,
  STATISTICS,
} from '../../src/monitoring/metric-definition.ts';
import type { Monitor } from '../../src/monitoring/monitor.ts';
import { MonitorDatabase } from '../../src/monitoring/monitor-database.ts';
import { materializedIn } from '../../src/monitoring/point-source.ts';
import { previewMetric } from '../../src/monitoring/preview-metric.ts';
import { parseProgress } from '../../src/monitoring/watermark.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeInTimescale, type MonitorStore, type TestRecord, WRITERS } from './monitor-store.ts';
import { pass, turnedMonitor, untilWaiting } from './turned-monitor.ts';

/** On a whole minute. */
const NOW = 1_700_000_040_000;
const [WRITER, OTHER_WRITER] = WRITERS;

function at(secondsAgo: number, more: Partial<TestRecord> = {}): TestRecord {
  return { unixMs: NOW - secondsAgo * 1000, ...more };
}

function metric(definition: Readonly<Record<string, unknown>>): MetricDefinition {
  return metricDefinition.parse({ id: 'requests', ...definition });
}

function logGroup(expression: string): LogGroupDefinition {
  return { id: 'mine', description: '', expression };
}

/** `[seconds before NOW, segment, value]`, newest first. */
async function pointsOf(monitor: Monitor, id = 'requests') {
  const points = await monitor.points(id, pointsRequest.parse({ limit: 10_000 }));
  return points.map(({ time, segment, value }) => [(NOW - Date.parse(time)) / 1000, segment, value]);
}

async function viewsOf(store: MonitorStore): Promise<readonly string[]> {
  const rows = await store.query(
    sql`select view_name::text as view from timescaledb_information.continuous_aggregates order by 1`,
  );
  return rows.map((row) => textOf(row, 'view'));
}

const SEGMENTS: readonly unknown[] = [
  undefined,
  'section(url.path)',
  'team',
  { expression: 'status_code >= 500 and url.path starts_with "/a"' },
  [
    { name: 'mine', where: 'team == "blue"' },
    { name: 'bad', where: 'status_code >= 400' },
  ],
];
const FILTERS: readonly unknown[] = [
  undefined,
  { where: [{ property: 'url.path', value: '/b' }] },
  {
    where: [
      { property: 'team', value: 'blue' },
      { property: 'status_code', value: '200' },
    ],
  },
  { where: [{ expression: 'status_code < 500 and not (team == "red")' }] },
  { where: [{ expression: 'url.path ~ "^/[a-c]" or size > 2' }], text: 'LINE' },
];

describeInTimescale('continuous aggregates', (open) => {
  async function setUp() {
    const store = await open();
    const clock = new FakeClock(NOW);
    return { store, clock, ...turnedMonitor(store, clock) };
  }

  async function started(definition: Readonly<Record<string, unknown>>, records: readonly TestRecord[]) {
    const opened = await setUp();
    await opened.store.flush(WRITER, records);
    await opened.monitor.createMetric(metric(definition));
    await opened.monitor.start();
    await untilWaiting(opened.clock);
    return opened;
  }

  it('have the points of a metric, and are dropped with it', async () => {
    const { store, clock, monitor, lines } = await started({}, [at(100), at(110), at(7200)]);
    expect(await pointsOf(monitor)).toEqual([
      [120, null, 2],
      [7200, null, 1],
    ]);
    const [view = ''] = await viewsOf(store);
    expect(view).toMatch(/^metric_view_requests_/);
    expect(lines).toContainEqual(expect.objectContaining({ metric: 'requests', view }));
    expect(await store.query(sql`select * from metric_points`)).toEqual([]);
    expect((await monitor.metric('requests')).points).toBe(2);
    expect((await monitor.metrics()).map(({ points }) => points)).toEqual([2]);
    await monitor.deleteMetric('requests');
    await pass(clock, 1);
    expect(await viewsOf(store)).toEqual([]);
  });

  it('can be queried with SQL, up to the newest record', async () => {
    const { store } = await started({}, [at(100)]);
    await store.flush(WRITER, [at(2), at(1)]);
    const [view = ''] = await viewsOf(store);
    const rows = await store.query(sql`select value from ${sqlName(view)} order by bucket`);
    expect(rows).toEqual([{ value: 1 }, { value: 2 }]);
  });

  it('give the same points as a computation from the records', { timeout: 240_000 }, async () => {
    const record = fc.record({
      secondsAgo: fc.integer({ min: 0, max: 400 }),
      path: fc.constantFrom('/a/1', '/a/2', '/b', '/c/3'),
      status: fc.constantFrom(200, 404, 503),
      bytes: fc.integer({ min: 0, max: 9 }),
      team: fc.constantFrom('blue', 'red', 7, undefined),
    });
    const definition = fc.record({
      statistic: fc.constantFrom(...STATISTICS),
      property: fc.constantFrom('response_bsize', 'size'),
      periodSeconds: fc.constantFrom(7, 30, 60),
      segment: fc.constantFrom(...SEGMENTS),
      filter: fc.constantFrom(...FILTERS),
    });
    const { store, clock, monitor, lines } = await setUp();
    const database = new MonitorDatabase({ database: store.database, clock, holder: 'reader' });
    await monitor.start();
    let metrics = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(definition, { minLength: 3, maxLength: 6 }),
        fc.array(fc.array(record, { minLength: 1, maxLength: 20 }), { minLength: 2, maxLength: 4 }),
        async (definitions, flushes) => {
          const created = definitions.map((each) => metric({ ...each, id: `m${++metrics}` }));
          for (const each of created) await monitor.createMetric(each);
          for (const [index, records] of flushes.entries()) {
            await store.flush(
              index % 2 === 0 ? WRITER : OTHER_WRITER,
              records.map(({ secondsAgo, team, bytes, ...more }) => ({
                unixMs: Number(clock.nowUnixNano() / 1_000_000n) - secondsAgo * 1000,
                ...{ ...more, bytes, attributes: { size: bytes, ...(team !== undefined && { team }) } },
              })),
            );
            await pass(clock, 61, { step: 61 });
          }
          for (const each of created) expect(await shown(monitor, each)).toEqual(await fresh(each));
          for (const { id } of created) await monitor.deleteMetric(id);
          await pass(clock, 6);
        },
      ),
      { numRuns: Number(process.env.RUNS ?? 3), endOnFailure: true },
    );
    expect(lines.filter(({ reason }) => reason !== undefined)).toEqual([]);
    expect(lines.filter(({ view }) => view !== undefined)).toHaveLength(metrics);

    async function fresh(each: MetricDefinition): Promise<readonly string[]> {
      const nowSeconds = Number(clock.nowUnixNano() / 1_000_000_000n);
      const whole = (seconds: number) => Math.floor(seconds / each.periodSeconds) * each.periodSeconds;
      const span = { from: whole(NOW / 1000 - 3600), to: whole(nowSeconds - each.endOffsetSeconds) };
      const computed = await previewMetric(database, each, span);
      return computed.map(({ time, segment, value }) => `${time} ${segment} ${rounded(value)}`).toSorted();
    }
  });

  async function shown(monitor: Monitor, { id }: MetricDefinition): Promise<readonly string[]> {
    const points = await monitor.points(id, pointsRequest.parse({ limit: 10_000 }));
    return points
      .map(({ time, segment, value }) => `${Date.parse(time) / 1000} ${segment} ${rounded(value)}`)
      .toSorted();
  }

  function rounded(value: number | null): string {
    return value === null ? 'null' : value.toFixed(6);
  }

  it('count a late record, also in a compressed chunk', async () => {
    const { store, clock, monitor } = await started({ startOffsetSeconds: 86_400 * 40 }, [
      at(86_400 * 30),
      at(100),
    ]);
    await store.query(sql`alter table log_records set (timescaledb.compress)`);
    await store.query(
      sql`select compress_chunk(each) from show_chunks('log_records', older_than => ${new Date(NOW - 86_400_000).toISOString()}::timestamptz) as each`,
    );
    await store.flush(OTHER_WRITER, [at(86_400 * 30), at(3700)]);
    await pass(clock, 61);
    expect(await pointsOf(monitor)).toEqual([
      [120, null, 1],
      [3720, null, 1],
      [86_400 * 30, null, 2],
    ]);
  });

  it('show a bucket as soon as it is complete, before the next refresh', async () => {
    const { store, clock, monitor } = await started({ refreshSeconds: 3000 }, [at(100)]);
    await store.flush(WRITER, [at(-5)]);
    await pass(clock, 130, { step: 10 });
    expect(await pointsOf(monitor)).toEqual([
      [0, null, 1],
      [120, null, 1],
    ]);
  });

  it('keep the points of an edited metric that are older than its start', async () => {
    const { store, clock, monitor } = await started({ startOffsetSeconds: 86_400 }, [at(7200), at(100)]);
    await monitor.updateMetric(
      metric({ startOffsetSeconds: 3600, filter: { where: [{ property: 'url.path', value: '/none' }] } }),
    );
    await pass(clock, 1);
    expect(await pointsOf(monitor)).toEqual([[7200, null, 1]]);
    expect(await viewsOf(store)).toHaveLength(1);
    await store.flush(WRITER, [at(100, { path: '/none' })]);
    await pass(clock, 61, { step: 20 });
    expect(await pointsOf(monitor)).toEqual([
      [120, null, 1],
      [7200, null, 1],
    ]);
  });

  it('keep the points of a metric whose log group is edited', async () => {
    const { store, clock, monitor } = await setUp();
    await store.flush(WRITER, [at(7200, { path: '/a' }), at(100, { path: '/b' })]);
    await monitor.createLogGroup(logGroup('url.path == "/a"'));
    const grouped = { filter: { where: [{ expression: 'group("mine")' }] } };
    await monitor.createMetric(metric({ ...grouped, startOffsetSeconds: 86_400 }));
    await monitor.start();
    await untilWaiting(clock);
    expect(await pointsOf(monitor)).toEqual([[7200, null, 1]]);
    await monitor.updateLogGroup(logGroup('url.path == "/b"'));
    await pass(clock, 1);
    expect(await pointsOf(monitor)).toEqual([[120, null, 1]]);
    expect(await viewsOf(store)).toHaveLength(1);
  });

  it('are left for a bucket that cannot be computed, and the others keep their points', async () => {
    const { store, clock, monitor, lines } = await started({ statistic: 'avg', property: 'size' }, [
      at(7200, { attributes: { size: 4 } }),
    ]);
    expect(await viewsOf(store)).toHaveLength(1);
    const huge = { attributes: { size: 1.7e308 } };
    await store.flush(WRITER, [
      at(100, huge),
      at(101, huge),
      at(102, huge),
      at(3700, { attributes: { size: 6 } }),
    ]);
    await pass(clock, 130, { step: 10 });
    expect(await pointsOf(monitor)).toEqual([
      [120, null, null],
      [3720, null, 6],
      [7200, null, 4],
    ]);
    expect(lines).toContainEqual(
      expect.objectContaining({
        metric: 'requests',
        msg: expect.stringContaining('A metric is computed without a continuous aggregate: '),
      }),
    );
    await monitor.createMetric(metric({ id: 'other' }));
    await pass(clock, 6);
    expect((await viewsOf(store)).map((view) => view.slice(0, 18))).toEqual(['metric_view_other_']);
  });

  it('stay while a view of the operator reads them, and nothing else is delayed', async () => {
    const { store, clock, monitor, lines } = await started({}, [at(100)]);
    const [view = ''] = await viewsOf(store);
    await store.query(sql`create view mine as select * from ${sqlName(view)}`);
    await monitor.deleteMetric('requests');
    await monitor.createMetric(metric({ id: 'other' }));
    await pass(clock, 6);
    expect(await pointsOf(monitor, 'other')).toEqual([[120, null, 1]]);
    expect(await viewsOf(store)).toContain(view);
    expect(lines).toContainEqual(
      expect.objectContaining({ view, msg: expect.stringContaining('Cannot drop the continuous aggregate') }),
    );
  });

  it('are replaced when an operator has dropped one', async () => {
    const { store, clock, monitor } = await started({}, [at(100)]);
    const [view = ''] = await viewsOf(store);
    await store.query(sql`drop materialized view ${sqlName(view)}`);
    await store.flush(WRITER, [at(3700)]);
    await pass(clock, 130, { step: 10 });
    expect(await pointsOf(monitor)).toEqual([
      [120, null, 1],
      [3720, null, 1],
    ]);
  });

  it('of another version of the program are replaced by the own definition', async () => {
    const { store, clock, monitor } = await started({}, [at(7200), at(100)]);
    const [before = ''] = await viewsOf(store);
    await monitor.stop(new AbortController().signal);
    await store.query(
      sql`update metrics set watermark = jsonb_set(watermark::jsonb, '{aggregate,hash}', '"another"')::text`,
    );
    const second = turnedMonitor(store, clock, 'second');
    await second.monitor.start();
    await untilWaiting(clock);
    expect(await pointsOf(second.monitor)).toEqual([
      [120, null, 1],
      [7200, null, 1],
    ]);
    await second.monitor.createMetric(metric({ id: 'other' }));
    await pass(clock, 6);
    const views = await viewsOf(store);
    expect(views).toHaveLength(2);
    expect(views).not.toContain(before);
  });

  it('are not created for a metric of an earlier version of the program', async () => {
    const { store, clock, monitor } = await setUp();
    await store.flush(WRITER, [at(100)]);
    await monitor.createMetric(metric({}));
    const watermark = JSON.stringify({ flushes: {}, since: NOW / 1000 - 86_400, until: NOW / 1000 - 600 });
    await store.query(
      sql`update metrics set watermark = ${watermark}::text, refreshed_at = ${new Date(NOW - 1000).toISOString()}::timestamptz`,
    );
    await monitor.start();
    await untilWaiting(clock);
    expect(await pointsOf(monitor)).toEqual([[120, null, 1]]);
    expect(await viewsOf(store)).toEqual([]);
  });

  it('lose points of more than 400 days, as others do', async () => {
    const { store, clock, monitor } = await started({}, [at(100)]);
    const [row] = await store.query(sql`select watermark from metrics`);
    const { aggregate } = parseProgress(row === undefined ? null : textOf(row, 'watermark'));
    const old = new Date(NOW - 401 * 86_400_000).toISOString();
    if (aggregate !== undefined)
      await store.query(
        sql`insert into ${materializedIn(aggregate)} (bucket, value, count) values (${old}::timestamptz, 1, 1)`,
      );
    expect(await pointsOf(monitor)).toHaveLength(2);
    await pass(clock, 330, { step: 30 });
    expect(await pointsOf(monitor)).toEqual([[120, null, 1]]);
  });
});

describeInTimescale(
  'a metric without continuous aggregates',
  (open) => {
    it('is computed from the records in the Apache edition, and the log has the reason', async () => {
      const store = await open();
      const clock = new FakeClock(NOW);
      const { monitor, lines } = turnedMonitor(store, clock);
      await store.flush(WRITER, [at(100)]);
      await monitor.createMetric(metric({}));
      await monitor.start();
      await untilWaiting(clock);
      expect(await pointsOf(monitor)).toEqual([[120, null, 1]]);
      expect(await viewsOf(store)).toEqual([]);
      expect(lines).toContainEqual(
        expect.objectContaining({ metric: 'requests', msg: expect.stringContaining('apache') }),
      );
    });
  },
  'apache',
);
