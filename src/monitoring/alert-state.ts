import type { AlertDefinition, AlertState, Comparison } from './alert-definition.ts';

/**
 * The state transitions of an alert, or of one segment of it:
 *
 *                    true, for long enough
 *               ok ------------------------> firing
 *             ^  |  <------------------------  ^ |
 *       data  |  |            false            | |
 *             |  v                             | v
 *            no-data <---------------------------'
 *                   no data, by the policy of the alert
 *
 * The condition is: observed, comparison, level. While it is true, but not yet for `forSeconds`, the state
 * stays `ok` and `pendingSince` is the start time. With the policy `firing`, missing data counts as a true
 * condition, with the same `forSeconds`.
 */
export interface SegmentState {
  readonly segment: string | null;
  readonly state: AlertState;
  readonly sinceUnixMicro: number;
  readonly observed: number | null;
  readonly pendingSinceUnixMicro: number | null;
  /** The time of the last observation. */
  readonly seenUnixMicro: number | null;
}

export interface Observation {
  readonly segment: string | null;
  /** null: there is no observation in the window. */
  readonly observed: number | null;
}

type Rule = Pick<AlertDefinition, 'comparison' | 'level' | 'forSeconds' | 'noData'>;

/** Returns the state after a check. `before`: undefined at the first check. */
export function nextState(
  rule: Rule,
  before: SegmentState | undefined,
  { segment, observed }: Observation,
  nowUnixMicro: number,
): SegmentState {
  const { state, pendingSinceUnixMicro } = judged(rule, before, observed, nowUnixMicro);
  const isSame = before?.state === state;
  return {
    segment,
    state,
    sinceUnixMicro: isSame ? before.sinceUnixMicro : nowUnixMicro,
    observed,
    pendingSinceUnixMicro,
    seenUnixMicro: observed === null ? (before?.seenUnixMicro ?? null) : nowUnixMicro,
  };
}

/** Whether the change is reported. The result of a first check is not a change, unless the alert fires. */
export function isReportedChange(before: SegmentState | undefined, after: SegmentState): boolean {
  return before === undefined ? after.state === 'firing' : before.state !== after.state;
}

export function isConditionMet(observed: number, comparison: Comparison, level: number): boolean {
  switch (comparison) {
    case '>':
      return observed > level;
    case '>=':
      return observed >= level;
    case '<':
      return observed < level;
    case '<=':
      return observed <= level;
    case '==':
      return observed === level;
    case '!=':
      return observed !== level;
  }
}

type Judged = Pick<SegmentState, 'state' | 'pendingSinceUnixMicro'>;

function judged(
  { comparison, level, forSeconds, noData }: Rule,
  before: SegmentState | undefined,
  observed: number | null,
  nowUnixMicro: number,
): Judged {
  if (observed === null && noData === 'keep') {
    return {
      state: before?.state ?? 'no-data',
      pendingSinceUnixMicro: before?.pendingSinceUnixMicro ?? null,
    };
  }
  if (observed === null && noData !== 'firing')
    return { state: noData as AlertState, pendingSinceUnixMicro: null };
  if (observed !== null && !isConditionMet(observed, comparison, level))
    return { state: 'ok', pendingSinceUnixMicro: null };
  if (before?.state === 'firing') return { state: 'firing', pendingSinceUnixMicro: null };
  // A clock that was set back must not prolong the wait.
  const since = Math.min(before?.pendingSinceUnixMicro ?? nowUnixMicro, nowUnixMicro);
  if (nowUnixMicro - since >= forSeconds * 1_000_000) return { state: 'firing', pendingSinceUnixMicro: null };
  return { state: 'ok', pendingSinceUnixMicro: since };
}
