import type { FilterCondition, LogFilter, MetricDefinition, MetricSegment } from '../api/monitoring.ts';

/** `p95 of duration`, `count of records` */
export function statisticText({
  statistic,
  property,
}: Pick<MetricDefinition, 'statistic' | 'property'>): string {
  return `${statistic} of ${property === '*' ? 'records' : property}`;
}

export function segmentText(segment: MetricSegment | undefined): string {
  if (segment === undefined) return 'none';
  if (typeof segment === 'string') return segment;
  if ('expression' in segment) return `true and false of ${segment.expression}`;
  return segment.map(({ name, where }) => `${name}: ${where}`).join('; ');
}

/** The filter as one expression; '' if there is none. */
export function filterText(filter: LogFilter | undefined): string {
  if (filter === undefined) return '';
  const { text, severity, host, service, where = [] } = filter;
  const parts = [
    ...(text === undefined ? [] : [`body contains* ${JSON.stringify(text)}`]),
    ...(severity === undefined ? [] : [`severity >= ${severity}`]),
    ...(host === undefined ? [] : [`host == ${JSON.stringify(host)}`]),
    ...(service === undefined ? [] : [`service == ${JSON.stringify(service)}`]),
    ...where.map(conditionText),
  ];
  return parts.length === 1 ? parts.join('') : parts.map(inBrackets).join(' and ');
}

function conditionText(condition: FilterCondition): string {
  if ('expression' in condition) return condition.expression;
  return `${condition.property} == ${JSON.stringify(condition.value)}`;
}

function inBrackets(expression: string): string {
  return /\bor\b/.test(expression) ? `(${expression})` : expression;
}
