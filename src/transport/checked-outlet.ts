import type { Clock } from '../runtime/clock.ts';
import type { TransportFailure } from './transport.ts';

/**
 * A session for callers with a cursor: it keeps no messages, and after a failure the caller rewinds to its
 * cursor and writes again.
 *
 *     write write write check -> undefined: cursor forward
 *     write write       check -> failure:   cursor back
 *
 * One call at a time.
 */
export interface CheckedOutlet {
  readonly address: string;
  /** Writes complete messages: packets or frames. A failure applies to everything since the last check. */
  write(packets: readonly Uint8Array[], signal?: AbortSignal): Promise<TransportFailure | undefined>;
  /** Returns undefined if the kernel accepted everything since the last check and no failure was reported. */
  check(signal?: AbortSignal): Promise<TransportFailure | undefined>;
  close(deadline: AbortSignal): Promise<void>;
}

export interface CheckedOutletOptions {
  readonly clock?: Clock | undefined;
  /** Called if a failure is reported after a successful check: earlier messages may be lost. */
  readonly onTooLate?: ((failure: TransportFailure) => void) | undefined;
}

export const ABORTED: TransportFailure = { reason: 'aborted' };
