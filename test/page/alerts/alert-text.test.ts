import { describe, expect, it } from 'vitest';
import { alertText, byUrgency, isSilenced, worstState } from '../../../src/page/alerts/alert-text.ts';
import type { AlertDefinition, AlertReport, AlertState } from '../../../src/page/api/monitoring.ts';

const DEFINITION: AlertDefinition = {
  id: 'slow',
  metric: 'requests',
  statistic: 'avg',
  comparison: '>',
  level: 100,
  windowSeconds: 300,
  forSeconds: 0,
  noData: 'no-data',
  notify: true,
};

const report = (id: string, ...states: readonly AlertState[]): AlertReport => ({
  definition: { ...DEFINITION, id },
  createdAt: '2026-11-28T10:00:00Z',
  states: states.map((state, at) => ({
    ...{ alert: id, segment: String(at), state, observed: 1, pendingSince: null },
    ...{ since: '2026-11-28T10:00:00Z', checkedAt: '2026-11-28T10:01:00Z' },
  })),
});

describe('an alert', () => {
  it('is one line of text', () => {
    expect(alertText(DEFINITION)).toBe('avg of requests over 5 min > 100');
    expect(alertText({ ...DEFINITION, forSeconds: 60 })).toBe('avg of requests over 5 min > 100, for 1 min');
  });

  it('has the worst state of its segments', () => {
    expect(worstState(report('a', 'ok', 'firing', 'no-data'))).toBe('firing');
    expect(worstState(report('a', 'ok', 'no-data'))).toBe('no-data');
    expect(worstState(report('a'))).toBeUndefined();
  });

  it('comes first if it fires, then if it cannot be checked', () => {
    const broken = { ...report('c', 'ok'), problem: { reason: 'no metric', since: '' } };
    const alerts = [report('a', 'ok'), report('b', 'firing'), broken, report('d', 'no-data')];
    expect(alerts.toSorted(byUrgency).map(({ definition }) => definition.id)).toEqual(['b', 'c', 'd', 'a']);
  });

  it('is silenced until the end of its silence', () => {
    const silenced = { silence: { until: '2026-11-28T11:00:00Z' } };
    expect(isSilenced(silenced, Date.parse('2026-11-28T10:59:59Z'))).toBe(true);
    expect(isSilenced(silenced, Date.parse('2026-11-28T11:00:00Z'))).toBe(false);
    expect(isSilenced({ silence: null }, 0)).toBe(false);
  });
});
