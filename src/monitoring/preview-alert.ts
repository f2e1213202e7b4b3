import { type AlertChange, completed, decideStates } from './alert-check.ts';
import type { AlertDefinition, AlertEvent } from './alert-definition.ts';
import type { Observation, SegmentState } from './alert-state.ts';
import { alertWindow, fillsMissing, observedWithoutRecords } from './alert-window.ts';
import { formatIsoTime } from './format-iso-time.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { MonitorError } from './monitor.ts';
import type { ComputedPoint } from './preview-metric.ts';
import type { Span } from './spans.ts';
import { statisticOf } from './statistic-of.ts';

export interface SimulatedAlert {
  readonly observations: readonly ComputedPoint[];
  readonly changes: readonly AlertEvent[];
}

/**
 * Checks an alert at the end of each bucket of a past time, as if it had existed then. `points`: of the metric, from
 * the begin of the first window. Throws MonitorError if this is too much work.
 */
export function simulateAlert(
  alert: AlertDefinition,
  metric: MetricDefinition,
  points: readonly ComputedPoint[],
  span: Span,
): SimulatedAlert {
  const segments = segmentsOf(points);
  assertBounded(alert, metric, { span, segments: segments.size });
  const observations: ComputedPoint[] = [];
  const changes: AlertEvent[] = [];
  let before: ReadonlyMap<string | null, SegmentState> = new Map();
  for (let time = span.from + metric.periodSeconds; time <= span.to; time += metric.periodSeconds) {
    const window = alertWindow(alert, metric, { from: 0, to: time });
    if (window === undefined) continue;
    const observed = observedIn(alert, metric, segments, window);
    const known = completed(observed, {
      known: [...before.keys()],
      hasSegments: metric.segment !== undefined,
      ofNothing: observedWithoutRecords(alert, metric, window),
    });
    const decided = decideStates(alert, before, known, time * 1e6);
    before = new Map(decided.states.map((state) => [state.segment, state]));
    for (const { segment, observed: value } of known) observations.push({ time, segment, value });
    for (const change of decided.changes) changes.push(eventOf(alert, change, time));
  }
  return { observations, changes };
}

/** The points before the span that the first window needs. */
export function withFirstWindow(
  { from, to }: Span,
  { windowSeconds }: AlertDefinition,
  { periodSeconds }: MetricDefinition,
): Span {
  return { from: Math.max(0, from - Math.ceil(windowSeconds / periodSeconds) * periodSeconds), to };
}

/** The work of one preview occupies the process: a window is looked at in each step, for each segment. */
const MAX_VALUES = 2_000_000;

function assertBounded(
  { windowSeconds }: AlertDefinition,
  { periodSeconds }: MetricDefinition,
  { span, segments }: { readonly span: Span; readonly segments: number },
): void {
  const steps = (span.to - span.from) / periodSeconds;
  if (steps * Math.ceil(windowSeconds / periodSeconds) * Math.max(1, segments) <= MAX_VALUES) return;
  throw new MonitorError(
    'invalid',
    'The preview has too many buckets for this window. Choose a shorter time, or a shorter window.',
  );
}

type Segments = ReadonlyMap<string | null, readonly ComputedPoint[]>;

function segmentsOf(points: readonly ComputedPoint[]): Segments {
  const segments = new Map<string | null, ComputedPoint[]>();
  for (const point of points) {
    const found = segments.get(point.segment);
    if (found === undefined) segments.set(point.segment, [point]);
    else found.push(point);
  }
  return segments;
}

function observedIn(
  alert: AlertDefinition,
  metric: MetricDefinition,
  segments: Segments,
  window: Span,
): readonly Observation[] {
  return [...segments].flatMap(([segment, points]) => {
    const values = points
      .slice(firstFrom(points, window.from), firstFrom(points, window.to))
      .flatMap(({ value }) => (value === null ? [] : [value]));
    if (values.length === 0) return [];
    const buckets = (window.to - window.from) / metric.periodSeconds;
    const isFilled = fillsMissing(alert, metric) && alert.statistic !== 'count';
    const zeros = isFilled ? Array.from({ length: buckets - values.length }, () => 0) : [];
    return [{ segment, observed: statisticOf(alert.statistic, [...values, ...zeros]) }];
  });
}

/** The index of the first point at this time or later. They are in order of time. */
function firstFrom(points: readonly ComputedPoint[], time: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((points[middle]?.time ?? 0) >= time) high = middle;
    else low = middle + 1;
  }
  return low;
}

function eventOf({ id, level, comparison }: AlertDefinition, change: AlertChange, time: number): AlertEvent {
  return { alert: id, at: formatIsoTime(time * 1e6), level, comparison, ...change };
}
