import type { RecordContext } from '../../records/record-context.ts';
import { calendarToUnixSeconds } from '../calendar-to-unix-nano.ts';
import { TIME_ZONE } from '../marker-attributes.ts';
import { zoneOffsetSeconds } from './zone-offset.ts';

/** A date and a time of day, without a fraction. Months and days count from 1. */
export interface WallSecond {
  /** 0: the text has no year. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** A date and time as a device writes it, perhaps without a year or a zone. */
export interface WallTime {
  /** The same object for times of the same second: then the second is converted once. */
  readonly wall: WallSecond;
  readonly nanosecond: number;
  /** undefined: the text has no zone; the zone of the context applies. */
  readonly offsetMinutes: number | undefined;
}

/** Nanoseconds since 1970; undefined for an impossible moment, and for a time without a year and a context. */
export function wallTimeToUnixNano(
  { wall, nanosecond, offsetMinutes }: WallTime,
  context: RecordContext | undefined,
): bigint | undefined {
  const zone = offsetMinutes === undefined ? zoneOf(context) : undefined;
  const observedUnixNano = wall.year === 0 ? context?.observedTimeUnixNano : undefined;
  const isLast =
    wall === last.wall &&
    offsetMinutes === last.offsetMinutes &&
    zone === last.zone &&
    observedUnixNano === last.observedUnixNano;
  if (!isLast) {
    const second: ZonedSecond = { wall, offsetMinutes, zone, observedUnixNano };
    last = second;
    lastUnixNano = secondToUnixNano(second);
  }
  if (lastUnixNano === undefined || nanosecond === 0) return lastUnixNano;
  return lastUnixNano + BigInt(nanosecond);
}

/** All that the moment of a second depends on. */
interface ZonedSecond {
  readonly wall: WallSecond;
  readonly offsetMinutes: number | undefined;
  /** undefined: UTC, or the offset of the time itself. */
  readonly zone: string | undefined;
  /** The moment when a time without a year was read. */
  readonly observedUnixNano: bigint | undefined;
}

/** The last second: most records have the same as the record before. */
let last: ZonedSecond = {
  wall: { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0 },
  offsetMinutes: undefined,
  zone: undefined,
  observedUnixNano: undefined,
};
let lastUnixNano: bigint | undefined;

/** The zone of times that have none; undefined: UTC. The zone of the peer comes before that of the source. */
export function zoneOf(context: RecordContext | undefined): string | undefined {
  return context?.peer?.get(TIME_ZONE) ?? context?.resource.get(TIME_ZONE);
}

function secondToUnixNano(time: ZonedSecond): bigint | undefined {
  const seconds = time.wall.year === 0 ? nearestUnixSeconds(time) : unixSeconds(time, time.wall.year);
  return seconds === undefined ? undefined : BigInt(seconds) * 1_000_000_000n;
}

function unixSeconds({ wall, zone, offsetMinutes = 0 }: ZonedSecond, year: number): number | undefined {
  const { month, day, hour, minute, second } = wall;
  const seconds = calendarToUnixSeconds({ year, month, day, hour, minute, second, offsetMinutes });
  if (seconds === undefined || zone === undefined) return seconds;
  return seconds - (zoneOffsetSeconds(zone, seconds) ?? 0);
}

/**
 * The year that brings the time nearest to the moment when the record was read. A time can be ahead of that
 * moment only as far as clocks and zones are wrong; a later time is from the year before. So a file that is
 * read half a year later keeps its year. 29 February is in the last leap year.
 */
function nearestUnixSeconds(time: ZonedSecond): number | undefined {
  if (time.observedUnixNano === undefined) return undefined;
  if (time.observedUnixNano !== observed.unixNano) observed = observedAt(time.observedUnixNano);
  const latest = observed.unixSeconds + MAX_AHEAD_SECONDS;
  for (let year = observed.year + 1; year >= observed.year - MAX_YEARS_BACK; year--) {
    const seconds = unixSeconds(time, year);
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
