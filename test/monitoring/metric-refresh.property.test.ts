import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sql } from '../../src/logstore/sql/sql.ts';
import { textOrNull } from '../../src/logstore/sql/sql-row.ts';
import { type MetricDefinition, metricDefinition } from '../../src/monitoring/metric-definition.ts';
import { pointSource } from '../../src/monitoring/point-source.ts';
import { parseProgress } from '../../src/monitoring/watermark.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { describeEachMonitorStore, type MonitorStore, WRITERS } from './monitor-store.ts';
import { pass, turnedMonitor } from './turned-monitor.ts';

/**
 * Whatever order records arrive in, however late, from however many writers, while metrics are refreshed, the evaluator
 * restarts or another takes over: in the end the points are what a fresh computation gives.
 */
const NOW = 1_700_000_000_000;
const START_OFFSET = 600;

const DEFINITIONS: readonly MetricDefinition[] = [
  metricDefinition.parse({
    id: 'seconds',
    periodSeconds: 1,
    endOffsetSeconds: 1,
    startOffsetSeconds: START_OFFSET,
  }),
  metricDefinition.parse({
    id: 'sevens',
    periodSeconds: 7,
    endOffsetSeconds: 3,
    startOffsetSeconds: START_OFFSET,
  }),
  metricDefinition.parse({
    id: 'routes',
    periodSeconds: 90,
    endOffsetSeconds: 20,
    refreshSeconds: 15,
    startOffsetSeconds: START_OFFSET,
    segment: 'section(path)',
    statistic: 'avg',
    property: 'response_bsize',
  }),
];

const record = fc.record({
  /** Before the moment of its arrival; some come from the future. */
  lateMs: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 0, max: 3000 }) },
    { weight: 2, arbitrary: fc.integer({ min: -5000, max: 90_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 1_200_000 }) },
  ),
  path: fc.constantFrom('/a/1', '/a/2', '/b', undefined),
  bytes: fc.integer({ min: 0, max: 9 }),
});
const flush = fc.record({
  kind: fc.constant('flush' as const),
  writer: fc.constantFrom(...WRITERS),
  records: fc.array(record, { minLength: 1, maxLength: 8 }),
  /** Time goes on before it is over. */
  isConcurrent: fc.boolean(),
});
const wait = fc.record({
  kind: fc.constant('wait' as const),
  seconds: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 100, max: 900 })),
});
const handOver = fc.record({ kind: fc.constant('hand over' as const), isClean: fc.boolean() });

describeEachMonitorStore('refreshed points', (open) => {
  it('equal a fresh computation', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 5, arbitrary: flush }, wait, handOver), { maxLength: 15 }),
        async (steps) => {
          const store = await open();
          const clock = new FakeClock(NOW);
          let holders = 0;
          const evaluator = () => turnedMonitor(store, clock, `holder ${++holders}`).monitor;
          let monitor = evaluator();
          /** They are in the middle of a computation while their successors start. */
          const former: (typeof monitor)[] = [];
          for (const definition of DEFINITIONS) await monitor.createMetric(definition);
          await monitor.start();
          for (const step of steps) {
            if (step.kind === 'wait') {
              // As after a long sleep.
              clock.jumpWallClock((step.seconds - 1) * 1000);
              await pass(clock, 1);
            } else if (step.kind === 'hand over') {
              const stopped = monitor.stop(step.isClean ? new AbortController().signal : AbortSignal.abort());
              if (step.isClean) await stopped;
              else former.push(monitor);
              monitor = evaluator();
              await monitor.start();
            } else {
              const nowMs = Number(clock.nowUnixNano() / 1_000_000n);
              const flushed = store.flush(
                step.writer,
                step.records.map(({ lateMs, path, bytes }) => ({
                  unixMs: nowMs - lateMs,
                  bytes,
                  ...(path !== undefined && { path }),
                })),
              );
              if (step.isConcurrent) await pass(clock, 2);
              await flushed;
            }
          }
          // The time of the clock does not wait for the statements of a database.
          for (const each of former) await each.stop(new AbortController().signal);
          clock.jumpWallClock(30_000);
          await pass(clock, 16);
          const nowSeconds = Number(clock.nowUnixNano() / 1_000_000_000n);
          for (const definition of DEFINITIONS) {
            const window = {
              from:
                (Math.ceil((nowSeconds - START_OFFSET) / definition.periodSeconds) + 1) *
                definition.periodSeconds,
              to:
                nowSeconds -
                definition.endOffsetSeconds -
                definition.refreshSeconds -
                definition.periodSeconds,
            };
            expect(await pointsOf(store, definition, window)).toEqual(
              await freshPoints(store, definition, window),
            );
          }
          await monitor.stop(new AbortController().signal);
        },
      ),
      { numRuns: Number(process.env.RUNS ?? 8) },
    );
  }, 300_000);
});

interface Window {
  readonly from: number;
  readonly to: number;
}

async function pointsOf(store: MonitorStore, { id }: MetricDefinition, { from, to }: Window) {
  const bucket = secondsOf(store, 'bucket');
  const [metric] = await store.query(sql`select watermark from metrics where id = ${id}::text`);
  const { aggregate } = parseProgress(metric === undefined ? null : textOrNull(metric, 'watermark'));
  const rows = await store.query(
    sql`select ${bucket} as bucket, segment, value from ${pointSource(id, aggregate)} as points`,
  );
  return rows
    .filter((row) => Number(row.bucket) >= from && Number(row.bucket) < to)
    .map((row) => `${row.bucket} ${row.segment} ${Number(row.value).toFixed(6)}`)
    .toSorted();
}

/** By hand, from the records themselves. */
async function freshPoints(store: MonitorStore, definition: MetricDefinition, { from, to }: Window) {
  const rows = await store.query(
    sql`select ${secondsOf(store, 'time')} as seconds, url_path, http_response_body_size from log_records`,
  );
  const buckets = new Map<string, number[]>();
  for (const row of rows) {
    const bucket = Math.floor(Number(row.seconds) / definition.periodSeconds) * definition.periodSeconds;
    if (bucket < from || bucket >= to) continue;
    const segment =
      definition.segment === undefined
        ? null
        : row.url_path === null
          ? null
          : String(row.url_path).split('/')[1];
    const key = `${bucket} ${segment}`;
    buckets.set(key, [...(buckets.get(key) ?? []), Number(row.http_response_body_size)]);
  }
  return [...buckets]
    .map(([key, values]) => {
      const sum = values.reduce((all, each) => all + each, 0);
      return `${key} ${(definition.statistic === 'count' ? values.length : sum / values.length).toFixed(6)}`;
    })
    .toSorted();
}

function secondsOf(store: MonitorStore, column: 'time' | 'bucket') {
  const name = column === 'time' ? sql`time` : sql`bucket`;
  return store.database.dialect === 'duckdb'
    ? sql`epoch_us(${name}) / 1000000.0`
    : sql`extract(epoch from ${name})::float8`;
}

describe('the property', () => {
  it('covers metrics with buckets that do and do not divide a minute', () => {
    expect(DEFINITIONS.map(({ periodSeconds }) => 60 % periodSeconds)).toEqual([0, 4, 60]);
  });
});
