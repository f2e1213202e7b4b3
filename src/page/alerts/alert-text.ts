import type { AlertDefinition, AlertReport, AlertState } from '../api/monitoring.ts';
import { duration, shortNumber } from '../text/numbers.ts';

/** `avg of requests over 5 min > 100, for 10 min` */
export function alertText({
  statistic,
  metric,
  comparison,
  level,
  windowSeconds,
  forSeconds,
}: AlertDefinition): string {
  const lasting = forSeconds > 0 ? `, for ${duration(forSeconds)}` : '';
  return `${statistic} of ${metric} over ${duration(windowSeconds)} ${comparison} ${shortNumber(level)}${lasting}`;
}

const RANK: Readonly<Record<AlertState, number>> = { firing: 0, 'no-data': 1, ok: 2 };

/** The worst state of the segments; undefined: not checked yet. */
export function worstState({ states }: Pick<AlertReport, 'states'>): AlertState | undefined {
  return states.map(({ state }) => state).toSorted((a, b) => RANK[a] - RANK[b])[0];
}

/** Firing alerts first, then those that cannot be checked. */
export function byUrgency(a: AlertReport, b: AlertReport): number {
  const rank = (alert: AlertReport) => {
    const state = worstState(alert);
    if (state === 'firing') return 0;
    return alert.problem !== undefined ? 1 : 1 + RANK[state ?? 'no-data'];
  };
  return rank(a) - rank(b) || a.definition.id.localeCompare(b.definition.id);
}

export function isSilenced({ silence }: Pick<AlertReport, 'silence'>, nowMs: number): boolean {
  return silence != null && Date.parse(silence.until) > nowMs;
}
