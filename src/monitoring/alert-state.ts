import type { AlertDefinition, AlertState, Comparison } from './alert-definition.ts';

/**
 * How an alert, or one segment of it, goes from state to state:
 *
 *                    holds, for long enough
 *               ok ------------------------> firing
 *             ^  |  <------------------------  ^ |
 *       data  |  |      does not hold          | |
 *             |  v                             | v
 *            no-data <---------------------------'
 *                   no data, and the policy says so
 *
 * "Holds" is: observed, comparison, level. While it holds, but not yet for `forSeconds`, the state stays `ok` and
 * `pendingSince` says since when. The policy `firing` takes no data for a condition that holds, with the same `forSeconds`.
 */
export interface SegmentState {
  readonly segment: string | null;
  readonly state: AlertState;
  readonly sinceUnixMicro: number;
  readonly observed: number | null;
  readonly pendingSinceUnixMicro: number | null;
  /** When it last had an observation. */
  readonly seenUnixMicro: number | null;
}

export interface Observation {
  readonly segment: string | null;
  /** null: there is none in the window. */
  readonly observed: number | null;
}

type Rule = Pick<AlertDefinition, 'comparison' | 'level' | 'forSeconds' | 'noData'>;

/** The state after a check. `before`: undefined at the first. */
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

/** What people are told of. How a first check turns out is no change, unless it fires. */
export function isChange(before: SegmentState | undefined, after: SegmentState): boolean {
  return before === undefined ? after.state === 'firing' : before.state !== after.state;
}

export function holds(observed: number, comparison: Comparison, level: number): boolean {
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
  if (observed !== null && !holds(observed, comparison, level))
    return { state: 'ok', pendingSinceUnixMicro: null };
  if (before?.state === 'firing') return { state: 'firing', pendingSinceUnixMicro: null };
  // A clock that went back must not make it wait for the time it was ahead.
  const since = Math.min(before?.pendingSinceUnixMicro ?? nowUnixMicro, nowUnixMicro);
  if (nowUnixMicro - since >= forSeconds * 1_000_000) return { state: 'firing', pendingSinceUnixMicro: null };
  return { state: 'ok', pendingSinceUnixMicro: since };
}
