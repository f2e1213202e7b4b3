import { type Batch, batchOf } from '../../records/batch.ts';
import { type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import type { CursorPoint, NewDeadLetter } from '../../storage/queue-contract.ts';
import { isBefore } from './cursor-order.ts';

/**
 * A batch that knows where in the queue its records lie, so that it can be cut, and the cursor moved, at any record.
 *
 *     queue      | entry 7                 | entry 8            | entry 9 ...
 *     records    | 0 1 2 3 4 5 6 7 8 9     | 0 1 2 3            |
 *     batch            [ slice at (7,3)    | slice at (8,0) ]
 *                      ^ begin                          end ^ = (8,3)
 *
 * `settled` are dead letters that lie between `begin` and `end` and are no longer among the slices: they are committed
 * when the cursor moves to `end`, not before.
 */
export interface PlacedBatch {
  readonly batch: Batch;
  /** Where each slice of `batch` begins. */
  readonly places: readonly CursorPoint[];
  readonly begin: CursorPoint;
  readonly end: CursorPoint;
  readonly settled: readonly PlacedDeadLetter[];
  /** When the queue accepted the first record. */
  readonly acceptedTimeUnixNano: bigint;
}

export interface PlacedDeadLetter {
  readonly at: CursorPoint;
  readonly letter: NewDeadLetter;
}

/** Cuts a batch in two, so that each half has something to emit. At least two records. */
export function halve(placed: PlacedBatch): [PlacedBatch, PlacedBatch] {
  const middle = placed.batch.recordCount >> 1;
  const left = sliced(placed, 0, middle);
  const right = sliced(placed, middle, placed.batch.recordCount);
  const border = right.places[0] ?? placed.end;
  const inLeft = ({ at }: PlacedDeadLetter) => isBefore(at, border);
  return [
    { ...placed, ...left, end: border, settled: placed.settled.filter(inLeft) },
    { ...placed, ...right, begin: border, settled: placed.settled.filter((dead) => !inLeft(dead)) },
  ];
}

/** The batch without the records of these indexes (ascending), each of which becomes a dead letter. */
export function setAside(placed: PlacedBatch, indexes: readonly number[], reason: string): PlacedBatch {
  const kept: Cut = { slices: [], places: [] };
  const settled = [...placed.settled];
  let from = 0;
  for (const index of indexes) {
    cutInto(kept, placed, from, index);
    const named: Cut = { slices: [], places: [] };
    cutInto(named, placed, index, index + 1);
    settled.push(...deadLettersOf(named.slices, named.places, reason));
    from = index + 1;
  }
  cutInto(kept, placed, from, placed.batch.recordCount);
  return { ...placed, batch: batchOf(kept.slices), places: kept.places, settled };
}

/** All that is still to be emitted, as dead letters: one for each slice. */
export function asDeadLetters({ batch, places }: PlacedBatch, reason: string): PlacedDeadLetter[] {
  return deadLettersOf(batch.slices, places, reason);
}

interface Cut {
  readonly slices: RecordBatch[];
  readonly places: CursorPoint[];
}

function deadLettersOf(
  slices: readonly RecordBatch[],
  places: readonly CursorPoint[],
  reason: string,
): PlacedDeadLetter[] {
  return slices.map((records, index) => ({
    at: places[index] ?? NOWHERE,
    letter: { records, reason },
  }));
}

function sliced(placed: PlacedBatch, from: number, to: number): Pick<PlacedBatch, 'batch' | 'places'> {
  const cut: Cut = { slices: [], places: [] };
  cutInto(cut, placed, from, to);
  return { batch: batchOf(cut.slices), places: cut.places };
}

/** Adds the records `[from, to)` of the batch, counted over all its slices. */
function cutInto(cut: Cut, { batch, places }: PlacedBatch, from: number, to: number): void {
  let first = 0;
  batch.slices.forEach((slice, index) => {
    const begin = Math.max(from - first, 0);
    const end = Math.min(to - first, slice.sizes.length);
    if (begin < end) {
      const { entry, record } = places[index] ?? NOWHERE;
      cut.slices.push(sliceRecords(slice, begin, end));
      cut.places.push({ entry, record: record + begin });
    }
    first += slice.sizes.length;
  });
}

/** Never met: there is a place for every slice. */
const NOWHERE: CursorPoint = { entry: 0, record: 0 };
