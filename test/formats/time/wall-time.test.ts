import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type WallSecond, wallTimeToUnixNano } from '../../../src/formats/time/wall-time.ts';
import type { RecordContext } from '../../../src/records/record-context.ts';

const contextIn = (zone: string | undefined, observed: string): RecordContext => ({
  resource: new Map(zone === undefined ? [] : [['megacollector.timezone', zone]]),
  observedTimeUnixNano: BigInt(Date.parse(observed)) * 1_000_000n,
});

const contexts = fc.constantFrom(
  undefined,
  contextIn(undefined, '2026-11-28T12:00:00Z'),
  contextIn('Europe/Paris', '2026-11-28T12:00:00Z'),
  contextIn('+05:30', '2026-11-28T12:00:00Z'),
  contextIn('Europe/Paris', '2024-03-01T00:00:00Z'),
);

/** The same objects occur again, as the reader of timestamps returns them. */
const walls = fc.constantFrom<WallSecond>(
  { year: 2026, month: 7, day: 11, hour: 22, minute: 14, second: 15 },
  { year: 0, month: 7, day: 11, hour: 22, minute: 14, second: 15 },
  { year: 0, month: 2, day: 29, hour: 0, minute: 0, second: 0 },
  { year: 2026, month: 2, day: 30, hour: 0, minute: 0, second: 0 },
  { year: 1969, month: 12, day: 31, hour: 23, minute: 59, second: 59 },
);

const times = fc.record({
  wall: walls,
  nanosecond: fc.constantFrom(0, 1, 123_456_789, 999_999_999),
  offsetMinutes: fc.constantFrom(undefined, 0, 60, -210),
});

test('a time after any other time is the moment that it is alone', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(times, contexts), { maxLength: 30 }), (list) => {
      const reads = list.map(([time, context]) => wallTimeToUnixNano(time, context));
      for (const [index, [time, context]] of list.entries()) {
        const read = reads[index];
        // A new object for the same second is converted again.
        expect(read).toBe(wallTimeToUnixNano({ ...time, wall: { ...time.wall } }, context));
        if (time.wall.year === 0 || context?.resource.size !== 0) continue;
        const { year, month, day, hour, minute, second } = time.wall;
        const unixMs = Date.UTC(year, month - 1, day, hour, minute - (time.offsetMinutes ?? 0), second);
        const isDate = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
        expect(read).toBe(isDate ? BigInt(unixMs) * 1_000_000n + BigInt(time.nanosecond) : undefined);
      }
    }),
    { numRuns: 300 },
  );
});
