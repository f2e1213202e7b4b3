import { collectDefaultMetrics, Registry } from 'prom-client';
import { type Clock, systemClock } from './clock.ts';
import { addLagMetrics, EventLoopLag } from './event-loop-lag.ts';
import { gauge, metricTable } from './events/metric-table.ts';
import { openMetrics } from './events/open-metrics.ts';

/** The measurement of prom-client: see EventLoopLag, which replaces it. */
const NEVER_MS = 2 ** 31 - 1;
const LAG_METRICS = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'];

/** Creates a registry with the metrics of each process: CPU, memory, event loop lag, build. */
export function createMetrics({ prefix, version, clock = systemClock }: MetricsOptions): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix, eventLoopMonitoringPrecision: NEVER_MS });
  for (const name of LAG_METRICS)
    registry.removeSingleMetric(`${prefix}nodejs_eventloop_lag_${name}_seconds`);
  addLagMetrics(new EventLoopLag(clock), prefix, registry);
  const { build } = openMetrics(buildMetrics(prefix), { registry });
  build.set(1, { version, node_version: process.version });
  return registry;
}

export function buildMetrics(prefix: string) {
  return metricTable(prefix, {
    build: gauge('build_info', 'Always 1; the labels contain the version', {
      labels: ['version', 'node_version'],
    }),
  });
}

export interface MetricsOptions {
  /** `aggregator_`, `collector_`: prefix of each metric's name. */
  readonly prefix: string;
  readonly version: string;
  readonly clock?: Clock;
}
