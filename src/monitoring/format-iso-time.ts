/** Microseconds since 1970 as RFC 3339, to the millisecond. */
export function formatIsoTime(unixMicro: number): string {
  return new Date(Math.floor(unixMicro / 1000)).toISOString();
}
