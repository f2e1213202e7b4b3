import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Registry } from 'prom-client';
import { Timer } from './async/timer.ts';
import type { Clock } from './clock.ts';
import { gauge, metricTable } from './events/metric-table.ts';
import { openMetrics } from './events/open-metrics.ts';
import { utilizationMeter } from './utilization-meter.ts';

/** While the process works. */
const BUSY_EVERY_MS = 20;
/** While it does little: there is no lag to find, and each sample wakes the process. */
const IDLE_EVERY_MS = 1000;
/** A minute; a longer lag counts as one. A histogram without this limit needs 360 kB. */
const HIGHEST_NS = 60e9;
/** The part of the time in which the event loop works, from which on the process counts as busy. */
const BUSY_UTILIZATION = 0.02;

/**
 * Measures how late timers are, with few samples while the process is idle. The measurement of prom-client wakes each
 * process 100 times a second, which was most of the CPU time of an idle one.
 */
export class EventLoopLag {
  readonly #timer: Timer;
  readonly #clock: Clock;
  readonly #utilization: () => number;
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: HIGHEST_NS, figures: 2 });
  #dueMs = 0;

  constructor(clock: Clock, utilization = utilizationMeter()) {
    this.#clock = clock;
    this.#utilization = utilization;
    this.#timer = new Timer(clock, () => this.#sample());
    this.#next();
  }

  /** The lags in nanoseconds since the previous call. */
  take(): LagSummary {
    const { min, max, mean, stddev } = this.#histogram;
    const percentile = (percent: number) => this.#histogram.percentile(percent);
    const summary =
      this.#histogram.count === 0
        ? NO_LAG
        : { min, max, mean, stddev, p50: percentile(50), p90: percentile(90), p99: percentile(99) };
    this.#histogram.reset();
    return summary;
  }

  stop(): void {
    this.#timer.cancel();
  }

  #sample(): void {
    const lateMs = Math.max(0, this.#clock.monotonicMs() - this.#dueMs);
    this.#histogram.record(Math.min(HIGHEST_NS, Math.max(1, Math.round(lateMs * 1e6))));
    this.#next();
  }

  #next(): void {
    const everyMs = this.#utilization() < BUSY_UTILIZATION ? IDLE_EVERY_MS : BUSY_EVERY_MS;
    this.#dueMs = this.#clock.monotonicMs() + everyMs;
    this.#timer.set(everyMs);
  }
}

export interface LagSummary {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

const NO_LAG: LagSummary = { min: 0, max: 0, mean: 0, stddev: 0, p50: 0, p90: 0, p99: 0 };

/** Shows the lags between two scrapes, under the names of prom-client. */
export function addLagMetrics(lag: Pick<EventLoopLag, 'take'>, prefix: string, registry: Registry): void {
  let summary = lag.take();
  const seconds = (nanoseconds: number) => nanoseconds / 1e9;
  openMetrics(lagMetrics(prefix), {
    registry,
    readings: {
      // Gauges are read in the order of the table.
      min: () => {
        summary = lag.take();
        return seconds(summary.min);
      },
      max: () => seconds(summary.max),
      mean: () => seconds(summary.mean),
      stddev: () => seconds(summary.stddev),
      p50: () => seconds(summary.p50),
      p90: () => seconds(summary.p90),
      p99: () => seconds(summary.p99),
    },
  });
}

function lagMetrics(prefix: string) {
  const lag = (name: string, what: string) =>
    gauge(
      `nodejs_eventloop_lag_${name}_seconds`,
      `${what} of the delays of timers since the previous scrape`,
    );
  return metricTable(prefix, {
    min: lag('min', 'Minimum'),
    max: lag('max', 'Maximum'),
    mean: lag('mean', 'Mean'),
    stddev: lag('stddev', 'Standard deviation'),
    p50: lag('p50', '50th percentile'),
    p90: lag('p90', '90th percentile'),
    p99: lag('p99', '99th percentile'),
  });
}
