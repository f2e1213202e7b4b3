/**
 * The delay in a `Retry-After` header: seconds or a date (RFC 9110, section 10.2.3), at most an hour, because
 * the clock or the unit of the server may be wrong. Undefined without a valid header.
 */
export function retryAfterMs(value: string | undefined, nowUnixMs: number): number | undefined {
  if (value === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowUnixMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

const MAX_RETRY_AFTER_MS = 60 * 60_000;
