import { Counter, Gauge, type Registry } from 'prom-client';

/** A metric with a series for each emitter of a type, labelled with the emitter's name. */
export interface EmitterMetric {
  readonly name: string;
  readonly help: string;
}

/** Returns the counter of the emitter with this name. */
export function emitterCounter(
  registry: Registry,
  emitter: string,
  { name, help }: EmitterMetric,
): Counter.Internal {
  const existing = registry.getSingleMetric(name);
  const counter =
    existing instanceof Counter
      ? existing
      : new Counter({ name, help, labelNames: ['emitter'], registers: [registry] });
  return counter.labels(emitter);
}

/** Returns the gauge of the emitter with this name. */
export function emitterGauge(
  registry: Registry,
  emitter: string,
  { name, help }: EmitterMetric,
): Gauge.Internal<'emitter'> {
  const existing = registry.getSingleMetric(name);
  const gauge =
    existing instanceof Gauge
      ? (existing as Gauge<'emitter'>)
      : new Gauge({ name, help, labelNames: ['emitter'], registers: [registry] });
  return gauge.labels(emitter);
}
