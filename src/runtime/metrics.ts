import { collectDefaultMetrics, Registry } from 'prom-client';
import { gauge, metricTable } from './events/metric-table.ts';
import { openMetrics } from './events/open-metrics.ts';

/** Creates a registry with the metrics of each process: CPU, memory, event loop lag, build. */
export function createMetrics({ prefix, version }: MetricsOptions): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix });
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
}
