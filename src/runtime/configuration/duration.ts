/**
 * Durations in the notation of Go's `time.ParseDuration` and `Duration.String`, to the nanosecond.
 *
 *     [-+]? ( digits* ('.' digits*)? unit )+      at least one digit per number
 *     unit: ns, us, µs (U+00B5), μs (U+03BC), ms, s, m, h
 *
 * After the sign, exactly `0` is zero without a unit. Components are added in any order and may repeat. A
 * unit is the longest run without digit or dot, so that `1h 30m` fails on the unit `h `.
 */
export type Nanoseconds = bigint;

export type DurationErrorKind = 'invalid duration' | 'missing unit' | 'unknown unit';

export class DurationError extends Error {
  override readonly name = 'DurationError';
  readonly kind: DurationErrorKind;

  constructor(kind: DurationErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

const UNITS: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

const COMPONENT = /([0-9]*)(?:\.([0-9]*))?([^0-9.]*)/y;

/** The magnitude of the smallest 64-bit number: Go's limit before it applies the sign. */
const LIMIT = 1n << 63n;

/** Throws DurationError. */
export function parseDuration(text: string): Nanoseconds {
  const negative = text.startsWith('-');
  const magnitude = negative || text.startsWith('+') ? text.slice(1) : text;
  if (magnitude === '0') return 0n;
  if (magnitude === '') throw invalid(text);
  let sum = 0n;
  let offset = 0;
  while (offset < magnitude.length) {
    COMPONENT.lastIndex = offset;
    const match = COMPONENT.exec(magnitude);
    sum += componentOf(match, text);
    if (sum > LIMIT) throw invalid(text);
    offset = COMPONENT.lastIndex;
  }
  if (negative) return -sum;
  if (sum === LIMIT) throw invalid(text);
  return sum;
}

function componentOf(match: RegExpExecArray | null, text: string): bigint {
  const [, whole = '', fraction = '', unitName = ''] = match ?? [];
  if (whole === '' && fraction === '') throw invalid(text);
  if (unitName === '') {
    throw new DurationError('missing unit', `missing unit in duration ${JSON.stringify(text)}`);
  }
  const unit = UNITS.get(unitName);
  if (unit === undefined) {
    const quoted = JSON.stringify(unitName);
    throw new DurationError('unknown unit', `unknown unit ${quoted} in duration ${JSON.stringify(text)}`);
  }
  const value = BigInt(whole) * unit;
  if (value > LIMIT) throw invalid(text);
  return value + fractionOf(fraction, unit);
}

/**
 * Go multiplies the fraction as a float64, digits beyond 63 bits ignored: `0.3333333333333333333h` is 20
 * minutes.
 */
function fractionOf(digits: string, unit: bigint): bigint {
  let fraction = 0n;
  let scale = 1;
  for (const digit of digits) {
    if (fraction > (LIMIT - 1n) / 10n) break;
    const next = fraction * 10n + BigInt(digit);
    if (next > LIMIT) break;
    fraction = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(fraction) * (Number(unit) / scale)));
}

function invalid(text: string): DurationError {
  return new DurationError('invalid duration', `invalid duration ${JSON.stringify(text)}`);
}

/** `1h30m0s`, `15s`, `1.5ms`, `0s`; `parseDuration` reads it back to the same value. */
export function formatDuration(duration: Nanoseconds): string {
  if (duration === 0n) return '0s';
  const sign = duration < 0n ? '-' : '';
  const magnitude = duration < 0n ? -duration : duration;
  if (magnitude < 1_000n) return `${sign}${magnitude}ns`;
  if (magnitude < 1_000_000n) return `${sign}${decimal(magnitude, 1_000n)}\u00b5s`;
  if (magnitude < 1_000_000_000n) return `${sign}${decimal(magnitude, 1_000_000n)}ms`;
  const minutes = magnitude / 60_000_000_000n;
  const seconds = `${decimal(magnitude % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return sign + seconds;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const fraction = String(value % unit)
    .padStart(digits, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(value / unit) : `${value / unit}.${fraction}`;
}

export function durationToMs(duration: Nanoseconds): number {
  return Number(duration) / 1e6;
}
