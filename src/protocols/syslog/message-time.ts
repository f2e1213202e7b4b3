const MAX_UNIX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
const QUARTER_HOUR_MS = 15 * 60_000;
const MAX_CACHED_OFFSETS = 1024;

/** `2003-10-11T22:14:15.003456Z`: RFC 5424 permits at most six digits of a second. */
export function rfc3339Micros(unixNano: bigint): string {
  const unixMs = unixMsOf(unixNano);
  const micros = unixMs === Number(unixNano / 1_000_000n) ? Number((unixNano / 1_000n) % 1_000n) : 0;
  return `${new Date(unixMs).toISOString().slice(0, -1)}${String(Math.abs(micros)).padStart(3, '0')}Z`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Oct  1 22:14:15` in a time zone (IANA name). */
export function bsdTime(unixNano: bigint, timeZone: string): string {
  const unixMs = unixMsOf(unixNano);
  const local = new Date(unixMs + offsetMs(unixMs, timeZone));
  const day = String(local.getUTCDate()).padStart(2, ' ');
  return `${MONTHS[local.getUTCMonth()]} ${day} ${local.toISOString().slice(11, 19)}`;
}

/** Whether this machine knows the time zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function unixMsOf(unixNano: bigint): number {
  return Math.min(Math.max(Number(unixNano / 1_000_000n), 0), MAX_UNIX_MS);
}

/** Offsets by zone and quarter of an hour: no zone changes within one, and a format takes about 10 us. */
const offsets = new Map<string, number>();

function offsetMs(unixMs: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  const quarter = Math.floor(unixMs / QUARTER_HOUR_MS);
  const key = `${timeZone} ${quarter}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const offset = readOffsetMs(quarter * QUARTER_HOUR_MS, timeZone);
  if (offsets.size >= MAX_CACHED_OFFSETS) offsets.clear();
  offsets.set(key, offset);
  return offset;
}

function readOffsetMs(unixMs: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const name = format.formatToParts(unixMs).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign = '+', hours = '0', minutes = '0', seconds = '0'] =
    /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(name) ?? [];
  const total = (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000;
  return sign === '-' ? -total : total;
}
