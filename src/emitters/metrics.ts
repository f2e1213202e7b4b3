import { Counter, Gauge, type Registry } from 'prom-client';

/** A metric of one emitter: labelled with its name, shared with the other emitters of its type. */
export interface EmitterMetric {
  readonly name: string;
  readonly help: string;
}

/** How a counter moves for the emitter of this name. */
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

/** How a gauge moves for the emitter of this name. */
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
