/** A value as people and `awk` read it: no separators, no exponent where it can be avoided, at most 6 digits of a fraction. */
export function numberText(value: number | null): string {
  if (value === null) return '-';
  if (Number.isInteger(value)) return String(value);
  const digits = Math.abs(value) >= 1 ? value.toFixed(Math.abs(value) >= 1000 ? 2 : 3) : value.toPrecision(3);
  return String(Number(digits));
}
