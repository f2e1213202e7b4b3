import { groupsIn, type LogGroupExpressions } from '../expressions/log-groups.ts';
import { expandAt, expandFilter } from '../logstore/logs/expand-filter.ts';
import { FilterError } from '../logstore/logs/log-search.ts';
import type { MetricDefinition } from './metric-definition.ts';
import type { MetricSegment } from './metric-segment.ts';
import { MonitorError } from './monitor.ts';

/** The ids of the log groups that the expressions of a metric name. */
export function groupsOfMetric({ filter, segment }: MetricDefinition): ReadonlySet<string> {
  const expressions = [
    ...(filter?.where ?? []).flatMap((each) => ('expression' in each ? [each.expression] : [])),
    ...expressionsOf(segment),
  ];
  return new Set(expressions.flatMap((each) => groupsIn(each).map(({ id }) => id)));
}

/** The metric with the expressions of its log groups. Throws MonitorError (`invalid`). */
export function expandMetric(metric: MetricDefinition, groups: LogGroupExpressions): MetricDefinition {
  if (groupsOfMetric(metric).size === 0) return metric;
  const { filter, segment } = metric;
  try {
    return {
      ...metric,
      ...(filter !== undefined && { filter: expandFilter(filter, groups) }),
      ...(segment !== undefined && { segment: expandSegment(segment, groups) }),
    };
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new MonitorError(
      'invalid',
      `Cannot use an expression of the metric ${metric.id}: ${error.message}.`,
    );
  }
}

function expressionsOf(segment: MetricSegment | undefined): readonly string[] {
  if (segment === undefined || typeof segment === 'string') return [];
  return 'expression' in segment ? [segment.expression] : segment.map(({ where }) => where);
}

function expandSegment(segment: MetricSegment, groups: LogGroupExpressions): MetricSegment {
  if (typeof segment === 'string') return segment;
  if ('expression' in segment)
    return { expression: expandAt('segment.expression', segment.expression, groups) };
  return segment.map(({ name, where }, at) => ({
    name,
    where: expandAt(`segment[${at}].where`, where, groups),
  }));
}
