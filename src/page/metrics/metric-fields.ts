import type { MetricDefinition, MetricSegment, Statistic } from '../api/monitoring.ts';
import { filterText } from './metric-text.ts';

export type SegmentKind = 'none' | 'property' | 'expression' | 'named';

/** The form of a metric, as texts. */
export interface MetricFields {
  readonly id: string;
  readonly statistic: Statistic;
  readonly property: string;
  readonly filter: string;
  readonly segmentKind: SegmentKind;
  /** Named expressions: a line each, `name: expression`. */
  readonly segment: string;
  readonly periodSeconds: string;
  readonly startOffsetSeconds: string;
}

export const NEW_METRIC: MetricFields = {
  id: '',
  statistic: 'count',
  property: '*',
  filter: '',
  segmentKind: 'none',
  segment: '',
  periodSeconds: '60',
  startOffsetSeconds: '86400',
};

export function fieldsOfMetric(metric: MetricDefinition): MetricFields {
  const { id, statistic, property, segment, periodSeconds, startOffsetSeconds = 86_400 } = metric;
  return {
    ...{ id, statistic, property },
    filter: filterText(metric.filter),
    ...segmentFields(segment),
    periodSeconds: String(periodSeconds),
    startOffsetSeconds: String(startOffsetSeconds),
  };
}

function segmentFields(segment: MetricSegment | undefined): Pick<MetricFields, 'segmentKind' | 'segment'> {
  if (segment === undefined) return { segmentKind: 'none', segment: '' };
  if (typeof segment === 'string') return { segmentKind: 'property', segment };
  if ('expression' in segment) return { segmentKind: 'expression', segment: segment.expression };
  return { segmentKind: 'named', segment: segment.map(({ name, where }) => `${name}: ${where}`).join('\n') };
}

/** The definition that is sent. `before`: the metric that is changed keeps what the form does not have. */
export function definitionOf(fields: MetricFields, before?: MetricDefinition): object {
  const { filter, segmentKind, segment, periodSeconds, startOffsetSeconds, statistic, property, id } = fields;
  const isSamePeriod = before !== undefined && String(before.periodSeconds) === periodSeconds;
  return {
    ...(isSamePeriod && { refreshSeconds: before.refreshSeconds, endOffsetSeconds: before.endOffsetSeconds }),
    ...{ id: id.trim(), statistic },
    property: property.trim() === '' ? '*' : property.trim(),
    periodSeconds: Number(periodSeconds),
    startOffsetSeconds: Number(startOffsetSeconds),
    ...(segmentKind !== 'none' && { segment: segmentOf(segmentKind, segment) }),
    ...(filter.trim() !== '' && { filter: { where: [{ expression: filter.trim() }] } }),
  };
}

function segmentOf(kind: SegmentKind, text: string): MetricSegment {
  if (kind === 'property') return text.trim();
  if (kind === 'expression') return { expression: text.trim() };
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const end = line.indexOf(':');
      if (end === -1) return { name: line.trim(), where: '' };
      return { name: line.slice(0, end).trim(), where: line.slice(end + 1).trim() };
    });
}
