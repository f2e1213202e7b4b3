import type { MetricPoint } from '../../../monitoring/metric-definition.ts';
import { metricSegment } from '../../../monitoring/metric-segment.ts';
import type { MetricAnswer } from '../api/api-answers.ts';
import { segmentText } from '../segment-text.ts';
import { formatTable } from '../terminal/format-table.ts';
import { numberText } from '../terminal/number-text.ts';
import { sanitizeForTerminal } from '../terminal/sanitize-for-terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { durationText, timeText } from '../terminal/time-text.ts';

const RIGHT = { right: true } as const;
const FLEXIBLE = { flexible: true } as const;

export function metricListText(metrics: readonly MetricAnswer[], terminal: Terminal): string {
  if (metrics.length === 0) {
    return 'No metrics. To create the default metrics: mega-collector monitor metrics create --default\n';
  }
  const rows = metrics.map(({ definition, points, refreshedAt }) => [
    sanitizeForTerminal(definition.id),
    expressionOf(definition),
    durationText(definition.periodSeconds),
    segmentOf(definition),
    String(points),
    refreshedAt === null ? 'not yet' : timeText(refreshedAt, terminal),
  ]);
  const columns = [
    { title: 'metric' },
    { title: 'statistic', ...FLEXIBLE },
    { title: 'period', ...RIGHT },
    { title: 'segment', ...FLEXIBLE },
    { title: 'points', ...RIGHT },
    { title: 'refreshed' },
  ];
  return formatTable(columns, rows, terminal);
}

/** `count(*)` */
export function expressionOf({ statistic, property }: MetricAnswer['definition']): string {
  return sanitizeForTerminal(`${statistic}(${property})`);
}

/** The property, the expression or the names by which a metric is divided. */
function segmentOf({ segment }: MetricAnswer['definition']): string {
  const known = metricSegment.safeParse(segment).data;
  if (segment === undefined) return '-';
  // A later version may have other forms.
  if (known === undefined) return sanitizeForTerminal(JSON.stringify(segment));
  if (typeof known === 'string') return sanitizeForTerminal(known);
  return sanitizeForTerminal(
    'expression' in known ? known.expression : known.map(({ name }) => name).join(', '),
  );
}

const MOST_SET_ASIDE = 10;

/** The newest periods that the store cannot compute, each with its reason. */
export function setAsideRows(
  { setAside = [] }: MetricAnswer,
  terminal: Terminal,
): readonly (readonly [string, string])[] {
  const rows = setAside
    .slice(0, MOST_SET_ASIDE)
    .map(
      ({ time, reason }) =>
        ['set aside', `${timeText(time, terminal)}: ${sanitizeForTerminal(reason)}`] as const,
    );
  const left = setAside.length - rows.length;
  return left > 0 ? [...rows, ['set aside', `and ${left} more`]] : rows;
}

/** Keeps the order of the points: newest first. */
export function pointsText(points: readonly MetricPoint[], isSegmented: boolean, terminal: Terminal): string {
  const hasProblem = points.some(({ problem }) => problem !== undefined);
  const rows = points.map(({ time, segment, value, count, problem }) => [
    timeText(time, terminal),
    ...(isSegmented ? [segmentText(segment)] : []),
    numberText(value),
    String(count),
    ...(hasProblem ? [sanitizeForTerminal(problem ?? '')] : []),
  ]);
  const columns = [
    { title: 'time' },
    ...(isSegmented ? [{ title: 'segment', ...FLEXIBLE }] : []),
    { title: 'value', ...RIGHT },
    { title: 'records', ...RIGHT },
    ...(hasProblem ? [{ title: 'problem', ...FLEXIBLE }] : []),
  ];
  return formatTable(columns, rows, terminal);
}
