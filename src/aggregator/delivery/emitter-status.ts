import { commitProblemOf, type DeliveryState, streakOf } from './delivery-state.ts';

/** The state of one emitter, shown by /health/progress, /metrics and `status`. */
export interface EmitterStatus {
  readonly emitter: string;
  readonly state: EmitterState;
  /** Why delivery fails. */
  readonly reason?: string;
  /** Start of the current failure. */
  readonly sinceUnixNano?: bigint;
  /** Consecutive failures. */
  readonly failures: number;
  /** Age of the oldest undelivered record, counted from its acceptance; 0 when there is none. */
  readonly oldestUndeliveredAgeMs: number;
  /** The last commit of delivered records in this process. */
  readonly lastSuccessUnixNano?: bigint;
}

/**
 * `retrying`: the last attempt failed. `holding`: the retries are used up, or an operator must act; it keeps
 * trying. `failed`: delivery has an internal error, and needs a restart.
 */
export type EmitterState = 'stopped' | 'idle' | 'delivering' | 'retrying' | 'holding' | 'failed';

/** The part of a status that follows from the state of delivery. */
export function statusOf(
  state: DeliveryState,
): Pick<EmitterStatus, 'state' | 'reason' | 'sinceUnixNano' | 'failures'> {
  const { activity, commits } = state;
  const streak = streakOf(activity);
  const broken = activity.kind === 'broken' ? activity.reason : undefined;
  const reason = broken ?? commitProblemOf(commits) ?? streak?.reason;
  return {
    state: emitterStateOf(state),
    ...(reason !== undefined && { reason }),
    ...(streak !== undefined && { sinceUnixNano: streak.sinceUnixNano }),
    failures: streak?.failures ?? 0,
  };
}

function emitterStateOf({ activity, commits }: DeliveryState): EmitterState {
  switch (activity.kind) {
    case 'broken':
      return 'failed';
    case 'starting':
    case 'stopping':
    case 'stopped':
      return 'stopped';
    case 'idle':
    case 'delivering':
    case 'retrying':
    case 'holding':
      return commitProblemOf(commits) === undefined ? activity.kind : 'holding';
  }
}
