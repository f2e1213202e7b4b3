import { type AlertDefinition, alertDefinition } from './alert-definition.ts';
import { type MetricDefinition, metricDefinition } from './metric-definition.ts';

/** Metrics that are useful for every site with access logs. */
export const DEFAULT_METRICS: readonly MetricDefinition[] = [
  metricDefinition.parse({
    id: 'total_traffic',
    periodSeconds: 1,
    startOffsetSeconds: 86_400,
    endOffsetSeconds: 1,
    refreshSeconds: 1,
  }),
  metricDefinition.parse({
    id: 'total_traffic_per_route',
    periodSeconds: 10,
    startOffsetSeconds: 86_400,
    endOffsetSeconds: 10,
    refreshSeconds: 10,
    segment: 'section(url.path)',
  }),
];

export const DEFAULT_ALERTS: readonly AlertDefinition[] = [
  alertDefinition.parse({
    id: 'totaltraffic',
    metric: 'total_traffic',
    statistic: 'avg',
    comparison: '>',
    level: 10,
    windowSeconds: 120,
    checkSeconds: 1,
  }),
];
