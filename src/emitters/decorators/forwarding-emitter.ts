import type { Emitter } from '../emitter.ts';

/** Forwards all calls to `emitter`, except those that are replaced. */
export function forwardingEmitter(emitter: Emitter, replaced: DecoratedCalls): Emitter {
  return {
    ...(emitter.database && { database: emitter.database }),
    start: () => emitter.start(),
    emit: (batch, signal) => emitter.emit(batch, signal),
    flush: (signal) => emitter.flush(signal),
    ...(emitter.committed && { committed: () => emitter.committed?.() ?? Promise.resolve() }),
    ...(emitter.reopen && { reopen: () => emitter.reopen?.() ?? Promise.resolve() }),
    ...(emitter.useFilter && {
      useFilter: (filter) => emitter.useFilter?.(filter) ?? Promise.resolve(),
    }),
    stop: (deadline) => emitter.stop(deadline),
    ...replaced,
  };
}

/** The calls of an emitter that a decorator can replace. */
export type DecoratedCalls = Partial<Pick<Emitter, 'emit' | 'flush' | 'committed' | 'reopen' | 'useFilter'>>;
