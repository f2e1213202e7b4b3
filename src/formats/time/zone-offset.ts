/**
 * The offset from UTC, in seconds, of a zone at a wall-clock time of that zone (`wallSeconds`: the time as if
 * it were UTC). undefined for an unknown zone.
 *
 * A time that a change of the clocks skips is read with the offset before the change; of a time that occurs
 * twice, the first one is meant.
 */
export function zoneOffsetSeconds(zone: string, wallSeconds: number): number | undefined {
  const fixed = zone.length <= 6 ? fixedOffset(zone) : undefined;
  if (fixed !== undefined) return fixed;
  const offsets = offsetsOf(zone);
  if (offsets === undefined) return undefined;
  const dayBefore = offsets.at(wallSeconds - DAY_SECONDS);
  const assumed = offsets.at(wallSeconds - dayBefore);
  if (assumed === dayBefore) return assumed;
  // The clocks have changed within the day before: the offset must be valid at the moment that it gives.
  return offsets.at(wallSeconds - assumed) === assumed ? assumed : dayBefore;
}

/** Whether times can be read in this zone. */
export function isZone(zone: string): boolean {
  return zoneOffsetSeconds(zone, 0) !== undefined;
}

const DAY_SECONDS = 86_400;

/** `Z`, `UTC`, `GMT`, `+02:00`, `-0330`, `+02`. */
function fixedOffset(zone: string): number | undefined {
  if (zone === 'UTC' || zone === 'GMT' || zone === 'Z') return 0;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(zone) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59) return undefined;
  const seconds = Number(hours) * 3600 + Number(minutes) * 60;
  return sign === '-' ? -seconds : seconds;
}

/** The offsets of one zone. `Intl` needs about 10 us for one, so each half hour is computed once. */
class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat;
  readonly #known = new Map<number, number>();
  #last = { halfHour: Number.NaN, offset: 0 };

  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { ...FIELDS, timeZone: zone });
  }

  at(unixSeconds: number): number {
    const halfHour = Math.floor(unixSeconds / 1800);
    if (halfHour === this.#last.halfHour) return this.#last.offset;
    let offset = this.#known.get(halfHour);
    if (offset === undefined) {
      offset = this.#compute(halfHour * 1800);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(halfHour, offset);
    }
    this.#last = { halfHour, offset };
    return offset;
  }

  #compute(unixSeconds: number): number {
    const fields = new Map<string, number>();
    for (const { type, value } of this.#format.formatToParts(unixSeconds * 1000))
      fields.set(type, Number(value));
    const of = (name: string) => fields.get(name) ?? 0;
    const wallMs = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
    return wallMs / 1000 - unixSeconds;
  }
}

const FIELDS: Intl.DateTimeFormatOptions = {
  ...{ hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
  ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
};
const MAX_KNOWN = 4096;
const MAX_ZONES = 1000;
const zones = new Map<string, ZoneOffsets | undefined>();

function offsetsOf(zone: string): ZoneOffsets | undefined {
  const known = zones.get(zone);
  if (known !== undefined || zones.has(zone)) return known;
  if (zones.size >= MAX_ZONES) zones.clear();
  const created = createOffsets(zone);
  zones.set(zone, created);
  return created;
}

function createOffsets(zone: string): ZoneOffsets | undefined {
  try {
    return new ZoneOffsets(zone);
  } catch {
    return undefined;
  }
}
