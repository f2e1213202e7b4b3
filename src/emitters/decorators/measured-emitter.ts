import { Histogram, type Registry } from 'prom-client';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { forwardingEmitter } from './forwarding-emitter.ts';

/** Observes the duration of each `emit`, with any outcome. */
export function measuredEmitter(
  emitter: Emitter,
  { metrics, name, clock }: Pick<EmitterContext, 'metrics' | 'name' | 'clock'>,
): Emitter {
  // Bound once: a label lookup for each batch is expensive.
  const duration = durationHistogram(metrics).labels(name);
  return forwardingEmitter(emitter, {
    emit: async (batch, signal) => {
      const startedMs = clock.monotonicMs();
      try {
        return await emitter.emit(batch, signal);
      } finally {
        duration.observe((clock.monotonicMs() - startedMs) / 1000);
      }
    },
  });
}

const NAME = 'aggregator_emitter_delivery_duration_seconds';

/** One histogram for all emitters of a registry; created once. */
function durationHistogram(registry: Registry): Histogram<'emitter'> {
  return (
    (registry.getSingleMetric(NAME) as Histogram<'emitter'> | undefined) ??
    new Histogram({
      name: NAME,
      help: 'Duration of one emit call.',
      labelNames: ['emitter'],
      buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
      registers: [registry],
    })
  );
}
