import type { StagedRecords } from '../../emitters/outcome.ts';

/** Consecutive failures of one emitter. */
export interface FailureStreak {
  /** The reason of the last failure. */
  readonly reason: string;
  readonly failures: number;
  /** Failures that count for `retryCount`. */
  readonly retries: number;
  readonly sinceUnixNano: bigint;
  /** The retries are used up, or an operator must act immediately. */
  readonly isHolding: boolean;
  /** The wait that the destination requested at the last failure. */
  readonly afterMs: number | undefined;
}

export interface Failure {
  readonly reason: string;
  readonly afterMs?: number | undefined;
  /** An operator must act immediately; records are never discarded for this. */
  readonly mustHold?: boolean;
  /** The result of the filter for the batch. */
  readonly staged?: StagedRecords | undefined;
}

export interface FailureContext {
  readonly nowUnixNano: bigint;
  /** AGGREGATOR_RETRY_COUNT */
  readonly retryCount: number;
}

/** The streak after one more failure. */
export function extendStreak(
  streak: FailureStreak | undefined,
  { reason, afterMs, mustHold = false }: Failure,
  { nowUnixNano, retryCount }: FailureContext,
): FailureStreak {
  const retries = (streak?.retries ?? 0) + (mustHold ? 0 : 1);
  return {
    reason,
    failures: (streak?.failures ?? 0) + 1,
    retries,
    sinceUnixNano: streak?.sinceUnixNano ?? nowUnixNano,
    isHolding: mustHold || retries >= retryCount,
    afterMs,
  };
}
