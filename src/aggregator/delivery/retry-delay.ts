/** No wait is longer than this, however often it failed. */
const MAX_DELAY_MS = 5 * 60_000;
/** A destination may ask for more, but not for days: its clock or its unit may be wrong. */
const MAX_ASKED_DELAY_MS = 60 * 60_000;

export interface RetryDelayOptions {
  /** 1 after the first failure. */
  readonly failures: number;
  /** The longest first wait; doubled for each further failure. */
  readonly baseMs: number;
  /** What the destination asked for (Retry-After). */
  readonly afterMs?: number | undefined;
  /** [0, 1) */
  readonly random: () => number;
}

/**
 * Exponential backoff with full jitter: anything from nothing to the whole of `baseMs * 2^(failures - 1)`, so that
 * many who failed together do not come back together. Never before the destination asked for.
 */
export function retryDelayMs({ failures, baseMs, afterMs = 0, random }: RetryDelayOptions): number {
  const longestMs = Math.min(baseMs * 2 ** Math.min(failures - 1, 30), MAX_DELAY_MS);
  return Math.max(random() * longestMs, Math.min(afterMs, MAX_ASKED_DELAY_MS));
}
