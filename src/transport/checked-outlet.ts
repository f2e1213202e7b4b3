import type { Clock } from '../runtime/clock.ts';
import type { TransportFailure } from './transport.ts';

/**
 * A session for callers that keep a cursor: it remembers nothing, and after a failure they go back to their cursor and say
 * it all again.
 *
 *     write write write check -> undefined: cursor forward
 *     write write       check -> failure:   cursor back
 *
 * One call at a time.
 */
export interface CheckedOutlet {
  readonly address: string;
  /** Whole messages: packets, or frames. A failure is also the answer to everything since the last check. */
  write(packets: readonly Uint8Array[], signal?: AbortSignal): Promise<TransportFailure | undefined>;
  /** undefined: the kernel has everything since the last check, and nothing was heard that speaks against its arrival. */
  check(signal?: AbortSignal): Promise<TransportFailure | undefined>;
  close(deadline: AbortSignal): Promise<void>;
}

export interface CheckedOutletOptions {
  readonly clock?: Clock | undefined;
  /** After a good check it was heard that something before it may not have arrived. */
  readonly onTooLate?: ((failure: TransportFailure) => void) | undefined;
}

export const GIVEN_UP: TransportFailure = { reason: 'given up' };
