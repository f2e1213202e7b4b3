/**
 * Nanoseconds since 1970 of a decimal number, read as seconds, milliseconds, microseconds or nanoseconds by
 * its size: each unit's numbers from 1973 to 5138 are beyond what the next smaller means. undefined for
 * anything else (zero, an exponent, a time before 1973: those are counters more often than moments).
 */
export function unixNanoOfNumber(text: string): bigint | undefined {
  const match = /^(\d{9,19})(?:\.(\d{1,18}))?$/.exec(text);
  const [, whole = '', fraction = ''] = match ?? [];
  const digitsBelow = digitsBelowUnit(whole.replace(/^0+/, '').length);
  if (digitsBelow === undefined) return undefined;
  const unixNano = BigInt(whole + fraction.slice(0, digitsBelow).padEnd(digitsBelow, '0'));
  return unixNano <= MAX_UNIX_NANO ? unixNano : undefined;
}

const MAX_UNIX_NANO = 2n ** 63n - 1n;

/** How many decimal digits lie between nanoseconds and the unit that a number of so many digits is in. */
function digitsBelowUnit(digits: number): number | undefined {
  if (digits < 9) return undefined;
  if (digits <= 11) return 9;
  if (digits <= 14) return 6;
  if (digits <= 17) return 3;
  return digits <= 19 ? 0 : undefined;
}
