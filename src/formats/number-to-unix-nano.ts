/**
 * Nanoseconds since 1970 of a decimal number. Its size decides whether it is read as seconds, milliseconds,
 * microseconds or nanoseconds: the numbers of each unit from 1973 to 5138 are larger than those of the next
 * larger unit. undefined for other text (zero, an exponent, a time before 1973: these are more often counters
 * than moments).
 */
export function numberToUnixNano(text: string): bigint | undefined {
  const match = /^(\d{9,19})(?:\.(\d{1,18}))?$/.exec(text);
  const [, whole = '', fraction = ''] = match ?? [];
  const digitsBelow = digitsBelowUnit(whole.replace(/^0+/, '').length);
  if (digitsBelow === undefined) return undefined;
  const unixNano = BigInt(whole + fraction.slice(0, digitsBelow).padEnd(digitsBelow, '0'));
  return unixNano <= MAX_UNIX_NANO ? unixNano : undefined;
}

const MAX_UNIX_NANO = 2n ** 63n - 1n;

/** The number of decimal digits between nanoseconds and the unit of a number with this number of digits. */
function digitsBelowUnit(digits: number): number | undefined {
  if (digits < 9) return undefined;
  if (digits <= 11) return 9;
  if (digits <= 14) return 6;
  if (digits <= 17) return 3;
  return digits <= 19 ? 0 : undefined;
}
