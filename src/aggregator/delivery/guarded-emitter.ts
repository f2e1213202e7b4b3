import type { Emitter, FlushOutcome } from '../../emitters/emitter.ts';
import { type Outcome, retry } from '../../emitters/outcome.ts';
import type { Batch } from '../../records/batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { DeliveryEvents } from './events.ts';

/** An emitter that returns an outcome instead of throwing, and whose calls are measured. */
export function guardedEmitter(
  emitter: Emitter,
  events: DeliveryEvents,
  clock: Clock,
): Required<Destination> {
  async function guarded<T>(call: () => Promise<T>, otherwise: (reason: string) => T): Promise<T> {
    try {
      return await call();
    } catch (error) {
      events.emitterThrew(error);
      return otherwise(error instanceof Error ? error.message : String(error));
    }
  }
  return {
    emit: async (batch: Batch, signal: AbortSignal): Promise<Outcome> => {
      const startedMs = clock.monotonicMs();
      const outcome = await guarded<Outcome>(() => emitter.emit(batch, signal), retry);
      events.attempted((clock.monotonicMs() - startedMs) / 1000);
      return outcome;
    },
    flush: (signal) => guarded<FlushOutcome>(() => emitter.flush(signal), retry),
    committed: () => guarded<void>(async () => emitter.committed?.(), ignore),
    reopen: () => guarded<void>(async () => emitter.reopen?.(), ignore),
  };
}

export type Destination = Pick<Emitter, 'emit' | 'flush' | 'committed' | 'reopen'>;

function ignore(): void {
  // The error is logged; the result is not needed.
}
