import type { QueuePlace } from '../../records/queue-place.ts';
import { endOf, type RecordBatch, sliceRecords } from '../../records/record-batch.ts';

/** An entry has at most 4 MiB. */
const BITS = 24n;
const MASK = (1n << BITS) - 1n;

/**
 * The number of a message in its stream: the entry of the queue, and the bytes of the entry up to the end of the message.
 * It is the same each time that the records are emitted, and ascends in the order of the queue. There are gaps.
 */
export function publishingIdOf({ entry, start }: QueuePlace, end: number): bigint {
  return (BigInt(entry) << BITS) + BigInt(end - start);
}

export function entryOfPublishingId(id: bigint): number {
  return Number(id >> BITS);
}

/** The records of a slice whose numbers are above `last`; undefined: none. */
export function recordsAfter(slice: RecordBatch, place: QueuePlace, last: bigint): RecordBatch | undefined {
  if (publishingIdOf(place, endOf(slice)) <= last) return undefined;
  if (entryOfPublishingId(last) !== place.entry) return slice;
  const stored = place.start + Number(last & MASK);
  let index = 0;
  let end = slice.start;
  for (; index < slice.sizes.length; index++) {
    const next = end + (slice.sizes[index] ?? 0);
    if (next > stored) break;
    end = next;
  }
  return sliceRecords(slice, index, slice.sizes.length, end - slice.start);
}
