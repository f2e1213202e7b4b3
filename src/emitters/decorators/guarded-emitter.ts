import { errorMessage } from '../../runtime/error-message.ts';
import type { Emitter, EmitterContext } from '../emitter.ts';
import { retry } from '../outcome.ts';
import { forwardingEmitter } from './forwarding-emitter.ts';

/**
 * Keeps the contract if the emitter does not: a call that throws is logged and returns `retry`. `start` may
 * throw, for an invalid configuration.
 */
export function guardedEmitter(emitter: Emitter, { logger }: Pick<EmitterContext, 'logger'>): Emitter {
  async function guarded<T>(
    call: () => Promise<T> | undefined,
    otherwise: (reason: string) => T,
  ): Promise<T> {
    try {
      const pending = call();
      return pending === undefined ? otherwise('') : await pending;
    } catch (error) {
      logger.error({ err: error }, 'Internal error: the emitter threw');
      return otherwise(errorMessage(error));
    }
  }
  return forwardingEmitter(emitter, {
    emit: (batch, signal) => guarded(() => emitter.emit(batch, signal), retry),
    flush: (signal) => guarded(() => emitter.flush(signal), retry),
    committed: () => guarded(() => emitter.committed?.(), ignore),
    reopen: () => guarded(() => emitter.reopen?.(), ignore),
  });
}

function ignore(): void {
  // The error is logged; these calls have no result.
}
