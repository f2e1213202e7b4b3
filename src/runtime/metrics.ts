import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export interface MetricsOptions {
  /** `aggregator_`, `collector_`: every metric's name begins with it. */
  readonly prefix: string;
  readonly version: string;
}

/** A registry with what every process tells of itself: CPU, memory, event loop lag, build. */
export function createMetrics({ prefix, version }: MetricsOptions): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix });
  new Gauge({
    name: `${prefix}build_info`,
    help: 'Always 1; what is running stands in the labels.',
    labelNames: ['version', 'node_version'],
    registers: [registry],
  }).set({ version, node_version: process.version }, 1);
  return registry;
}
