import type { RecordContext } from '../../records/record-context.ts';
import { calendarToUnixSeconds } from '../calendar-to-unix-nano.ts';
import { TIME_ZONE } from '../marker-attributes.ts';
import { zoneOffsetSeconds } from './zone-offset.ts';

/** A date and time as a device writes it, perhaps without a year or a zone. Months and days count from 1. */
export interface WallTime {
  /** 0: the text has no year. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** undefined: the text has no zone; the zone of the context applies. */
  readonly offsetMinutes: number | undefined;
}

/** Nanoseconds since 1970; undefined for an impossible moment, and for a time without a year and a context. */
export function wallTimeToUnixNano(time: WallTime, context: RecordContext | undefined): bigint | undefined {
  const zone = time.offsetMinutes === undefined ? zoneOf(context) : undefined;
  const seconds =
    time.year === 0
      ? nearestUnixSeconds(time, zone, context?.observedTimeUnixNano)
      : unixSeconds(time, time.year, zone);
  return seconds === undefined ? undefined : unixNano(seconds, time.nanosecond);
}

/** The zone of times that have none; undefined: UTC. The zone of the peer comes before that of the source. */
export function zoneOf(context: RecordContext | undefined): string | undefined {
  return context?.peer?.get(TIME_ZONE) ?? context?.resource.get(TIME_ZONE);
}

/** `zone` undefined: UTC, or the offset of the time itself. */
function unixSeconds(time: WallTime, year: number, zone: string | undefined): number | undefined {
  const { month, day, hour, minute, second, offsetMinutes = 0 } = time;
  const wall = calendarToUnixSeconds({ year, month, day, hour, minute, second, offsetMinutes });
  if (wall === undefined || zone === undefined) return wall;
  return wall - (zoneOffsetSeconds(zone, wall) ?? 0);
}

/**
 * The year that brings the time nearest to the moment when the record was read. A time can be ahead of that
 * moment only as far as clocks and zones are wrong; a later time is from the year before. So a file that is
 * read half a year later keeps its year. 29 February is in the last leap year.
 */
function nearestUnixSeconds(
  time: WallTime,
  zone: string | undefined,
  observedUnixNano: bigint | undefined,
): number | undefined {
  if (observedUnixNano === undefined) return undefined;
  if (observedUnixNano !== observed.unixNano) observed = observedAt(observedUnixNano);
  const latest = observed.unixSeconds + MAX_AHEAD_SECONDS;
  for (let year = observed.year + 1; year >= observed.year - MAX_YEARS_BACK; year--) {
    const seconds = unixSeconds(time, year, zone);
    if (seconds !== undefined && seconds <= latest) return seconds;
  }
  return undefined;
}

const MAX_AHEAD_SECONDS = 31 * 86_400;
/** Between 1896 and 1904 there is no leap year. */
const MAX_YEARS_BACK = 8;

/** The last observed time: all records of a batch have the same. */
let observed = { unixNano: 0n, unixSeconds: 0, year: 1970 };

function observedAt(unixNanoOfReading: bigint): typeof observed {
  const seconds = Number(unixNanoOfReading / 1_000_000_000n);
  const year = new Date(Math.min(seconds * 1000, MAX_DATE_MS)).getUTCFullYear();
  return { unixNano: unixNanoOfReading, unixSeconds: seconds, year };
}

const MAX_DATE_MS = 8_640_000_000_000_000;

/** The last second: most records have the same as the record before. */
let last = { seconds: 0, unixNano: 0n };

function unixNano(seconds: number, nanosecond: number): bigint {
  if (seconds !== last.seconds) last = { seconds, unixNano: BigInt(seconds) * 1_000_000_000n };
  return nanosecond === 0 ? last.unixNano : last.unixNano + BigInt(nanosecond);
}
