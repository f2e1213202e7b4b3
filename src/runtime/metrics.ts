import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Creates a registry with the metrics of each process: CPU, memory, event loop lag, build. */
export function createMetrics({ prefix, version }: MetricsOptions): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix });
  new Gauge({
    name: `${prefix}build_info`,
    help: 'Always 1; the labels contain the version.',
    labelNames: ['version', 'node_version'],
    registers: [registry],
  }).set({ version, node_version: process.version }, 1);
  return registry;
}

export interface MetricsOptions {
  /** `aggregator_`, `collector_`: prefix of each metric's name. */
  readonly prefix: string;
  readonly version: string;
}
