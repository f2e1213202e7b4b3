import type { AlertStatus } from '../../../../src/monitoring/alert-definition.ts';

/** What the API answers of alerts. */

export const DEFINITION = {
  id: 'totaltraffic',
  metric: 'total_traffic',
  statistic: 'avg',
  comparison: '>',
  level: 10,
  windowSeconds: 120,
  forSeconds: 0,
  checkSeconds: 1,
  noData: 'no-data',
  notify: true,
};

export const status = (state: AlertStatus['state'], more: Partial<AlertStatus> = {}): AlertStatus => ({
  alert: 'totaltraffic',
  segment: null,
  state,
  since: '2026-01-31T10:00:00.000Z',
  observed: 11.5,
  level: 10,
  comparison: '>',
  pendingSince: null,
  checkedAt: '2026-01-31T10:05:00.000Z',
  ...more,
});

export const alert = (states: readonly AlertStatus[], id = 'totaltraffic') => ({
  definition: { ...DEFINITION, id },
  createdAt: '2026-01-31T09:00:00.000Z',
  states,
});

export const TOTAL = alert([status('firing')]);
export const PER_ROUTE = alert(
  [
    status('ok', { segment: 'api', observed: 1 }),
    status('firing', { segment: 'img' }),
    status('ok', { segment: '\u001b[1m', pendingSince: '2026-01-31T10:04:00.000Z' }),
    status('no-data', { segment: null, observed: null }),
  ],
  'per_route',
);

export const EVENTS = [
  {
    alert: 'totaltraffic',
    segment: null,
    at: '2026-01-31T10:00:00.120Z',
    from: 'ok',
    to: 'firing',
    observed: 11.5,
    level: 10,
    comparison: '>',
  },
  {
    alert: 'totaltraffic',
    segment: null,
    at: '2026-01-31T09:00:00.000Z',
    from: 'no-data',
    to: 'ok',
    observed: null,
    level: 10,
    comparison: '>',
  },
];
