/**
 * A value that people and `awk` can read: no separators, an exponent only if necessary, at most 6 decimal
 * places.
 */
export function numberText(value: number | null): string {
  if (value === null) return '-';
  if (Number.isInteger(value)) return String(value);
  const digits = Math.abs(value) >= 1 ? value.toFixed(Math.abs(value) >= 1000 ? 2 : 3) : value.toPrecision(3);
  return String(Number(digits));
}
