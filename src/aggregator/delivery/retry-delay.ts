/** Upper limit of the computed delay. */
const MAX_DELAY_MS = 5 * 60_000;
/** A destination may request a longer delay, but not days: its clock or its unit may be wrong. */
const MAX_REQUESTED_DELAY_MS = 60 * 60_000;

export interface RetryDelayOptions {
  /** 1 after the first failure. */
  readonly failures: number;
  /** Maximum of the first delay; doubled for each further failure. */
  readonly baseMs: number;
  /** The delay that the destination requested (Retry-After). */
  readonly afterMs?: number | undefined;
  /** [0, 1) */
  readonly random: () => number;
}

/**
 * Exponential backoff with full jitter: between 0 and `baseMs * 2^(failures - 1)`, so that clients that
 * failed together do not retry together. Never less than the destination requested.
 */
export function retryDelayMs({ failures, baseMs, afterMs = 0, random }: RetryDelayOptions): number {
  const longestMs = Math.min(baseMs * 2 ** Math.min(failures - 1, 30), MAX_DELAY_MS);
  return Math.max(random() * longestMs, Math.min(afterMs, MAX_REQUESTED_DELAY_MS));
}
