import { parseMoment } from '../text/times.ts';

/** As in the address: `15m`, or RFC 3339. Without `to`, the range ends now. */
export interface TimeRange {
  readonly from: string;
  readonly to: string | undefined;
}

export const DEFAULT_RANGE: TimeRange = { from: '24h', to: undefined };

export const PRESETS: readonly { readonly from: string; readonly title: string }[] = [
  { from: '5m', title: 'Last 5 minutes' },
  { from: '15m', title: 'Last 15 minutes' },
  { from: '1h', title: 'Last hour' },
  { from: '6h', title: 'Last 6 hours' },
  { from: '24h', title: 'Last 24 hours' },
  { from: '7d', title: 'Last 7 days' },
  { from: '30d', title: 'Last 30 days' },
  { from: '365d', title: 'Last year' },
];

export function rangeOf({ from, to }: Readonly<Record<string, string>>): TimeRange {
  return { from: from ?? (to === undefined ? DEFAULT_RANGE.from : '24h'), to };
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** undefined: a part is not a time, or the range ends before it begins. */
export function spanOf({ from, to }: TimeRange, nowMs: number): Span | undefined {
  const fromMs = parseMoment(from, nowMs);
  const toMs = to === undefined ? nowMs : parseMoment(to, nowMs);
  if (fromMs === undefined || toMs === undefined || fromMs >= toMs) return undefined;
  return { fromMs, toMs };
}

export function absoluteRange({ fromMs, toMs }: Span): { readonly from: string; readonly to: string } {
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
}

/** The range of the same length before (-1) or after (1) this one. */
export function shiftedRange(range: TimeRange, direction: -1 | 1, nowMs: number): TimeRange {
  const span = spanOf(range, nowMs);
  if (span === undefined) return range;
  const lengthMs = (span.toMs - span.fromMs) * direction;
  return absoluteRange({ fromMs: span.fromMs + lengthMs, toMs: span.toMs + lengthMs });
}

/** A range of three times the length around this one; it does not end in the future. */
export function widenedRange(range: TimeRange, nowMs: number): TimeRange {
  const span = spanOf(range, nowMs);
  if (span === undefined) return range;
  const lengthMs = span.toMs - span.fromMs;
  return absoluteRange({
    fromMs: span.fromMs - lengthMs,
    toMs: Math.min(span.toMs + lengthMs, Math.max(nowMs, span.toMs)),
  });
}

/** Parameters with absolute times, for a link that shows the same later. */
export function withAbsoluteTimes(
  parameters: Readonly<Record<string, string>>,
  nowMs: number,
): Readonly<Record<string, string>> {
  const span = spanOf(rangeOf(parameters), nowMs);
  return span === undefined ? parameters : { ...parameters, ...absoluteRange(span) };
}
