/** `rejectedTimeUnixNano` as RFC 3339, to the millisecond. */
export function isoOfUnixNano(nanoseconds: string): string {
  return new Date(Number(BigInt(nanoseconds) / 1_000_000n)).toISOString();
}
