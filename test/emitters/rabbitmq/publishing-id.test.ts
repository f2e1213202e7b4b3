import { describe, expect, test } from 'vitest';
import {
  entryOfPublishingId,
  publishingIdOf,
  recordsAfter,
} from '../../../src/emitters/rabbitmq/publishing-id.ts';
import { LIMITS } from '../../../src/records/limits.ts';
import { endOf, forEachRecord, type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

/** An entry of the queue whose records begin at 4711 of their stream. */
function entryOf(
  entry: number,
  count: number,
): RecordBatch & { readonly place: { entry: number; start: number } } {
  const batch = recordBatch(lines(count), { start: 4711 });
  return { ...batch, place: { entry, start: 4711 } };
}

/** The number of each record as a message of its own. */
function idsOf(slice: RecordBatch): readonly bigint[] {
  const ids: bigint[] = [];
  const { place = { entry: 0, start: 0 } } = slice;
  forEachRecord(slice, (bytes, _index, position) => {
    ids.push(publishingIdOf(place, position + bytes.length));
  });
  return ids;
}

describe('the number of a message in its stream', () => {
  test('ascends over the records of an entry and over entries', () => {
    const ids = [...idsOf(entryOf(1, 50)), ...idsOf(entryOf(2, 50)), ...idsOf(entryOf(9_000_000_000, 2))];
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => (a < b ? -1 : 1)));
    expect(ids[0]).toBeGreaterThan(0n);
  });

  test('is the same for a record, whatever the batch was cut into', () => {
    const whole = entryOf(7, 20);
    for (const cut of [1, 5, 19]) {
      const parts = [sliceRecords(whole, 0, cut), sliceRecords(whole, cut, 20)];
      expect(parts.flatMap(idsOf)).toEqual(idsOf(whole));
    }
  });

  test('does not reach the next entry for the largest entry', () => {
    const place = { entry: 3, start: 0 };
    expect(publishingIdOf(place, LIMITS.batchBytes)).toBeLessThan(publishingIdOf({ entry: 4, start: 0 }, 1));
    expect(entryOfPublishingId(publishingIdOf(place, LIMITS.batchBytes))).toBe(3);
  });

  test('returns the records after a number', () => {
    const slice = entryOf(5, 10);
    const ids = idsOf(slice);
    for (let stored = 0; stored < 10; stored++) {
      const rest = recordsAfter(slice, slice.place, ids[stored] ?? 0n);
      expect(rest?.sizes.length ?? 0).toBe(9 - stored);
      if (rest !== undefined) expect(endOf(rest)).toBe(endOf(slice));
    }
    expect(recordsAfter(slice, slice.place, 0n)).toBe(slice);
    expect(recordsAfter(slice, slice.place, publishingIdOf({ entry: 4, start: 0 }, 99))).toBe(slice);
    expect(recordsAfter(slice, slice.place, publishingIdOf({ entry: 6, start: 0 }, 1))).toBeUndefined();
  });

  test('returns a record of which the stream has only a part', () => {
    const slice = entryOf(5, 3);
    const middle = publishingIdOf(slice.place, 4711 + (slice.sizes[0] ?? 0) + 2);
    expect(recordsAfter(slice, slice.place, middle)?.sizes.length).toBe(2);
  });
});
