import { histogram, metricTable } from '../../runtime/events/metric-table.ts';
import { openMetrics } from '../../runtime/events/open-metrics.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { forwardingEmitter } from './forwarding-emitter.ts';

export const MEASURED_EMITTER_METRICS = metricTable('aggregator_emitter_', {
  duration: histogram('delivery_duration_seconds', 'Duration of one emit call', {
    labels: ['emitter'],
    buckets: [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30],
  }),
});

/** Observes the duration of each `emit`, with any outcome. */
export function measuredEmitter(
  emitter: Emitter,
  { metrics: registry, name, clock }: Pick<EmitterContext, 'metrics' | 'name' | 'clock'>,
): Emitter {
  const { duration } = openMetrics(MEASURED_EMITTER_METRICS, { registry, labels: { emitter: name } });
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
