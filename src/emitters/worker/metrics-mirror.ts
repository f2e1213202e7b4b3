import { Counter, Gauge, type Registry } from 'prom-client';
import type { ThreadMetric } from './messages.ts';

/** Copies a thread's counters and gauges to the registry of the process. Ignores other kinds. */
export class MetricsMirror {
  readonly #registry: Registry;
  /** The last value that this thread reported, by counter and labels. */
  readonly #counted = new Map<string, number>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  update(metrics: readonly ThreadMetric[]): void {
    for (const metric of metrics) {
      if (metric.type === 'counter') this.#count(metric);
      else if (metric.type === 'gauge') this.#gauge(metric);
    }
  }

  /** Called for a new thread, which counts from zero. */
  reset(): void {
    this.#counted.clear();
  }

  #count({ name, help, values }: ThreadMetric): void {
    const existing = this.#registry.getSingleMetric(name);
    for (const { value, labels } of values) {
      const counter =
        existing instanceof Counter
          ? existing
          : new Counter({ name, help, labelNames: Object.keys(labels), registers: [this.#registry] });
      const key = `${name} ${JSON.stringify(labels)}`;
      counter.inc(labels, value - (this.#counted.get(key) ?? 0));
      this.#counted.set(key, value);
    }
  }

  #gauge({ name, help, values }: ThreadMetric): void {
    for (const { value, labels } of values) {
      const existing = this.#registry.getSingleMetric(name);
      const gauge =
        existing instanceof Gauge
          ? existing
          : new Gauge({ name, help, labelNames: Object.keys(labels), registers: [this.#registry] });
      gauge.set(labels, value);
    }
  }
}
