import { type Batch, batchOf } from '../../records/batch.ts';
import { type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import { isBefore } from '../../storage/queue/cursor-order.ts';
import type { CursorPoint, NewDeadLetter } from '../../storage/queue/queue-contract.ts';

/**
 * A batch with the queue positions of its records, so that it can be cut, and the cursor moved, at any
 * record.
 *
 *     queue      | entry 7                 | entry 8            | entry 9 ...
 *     records    | 0 1 2 3 4 5 6 7 8 9     | 0 1 2 3            |
 *     batch            [ slice at (7,3)    | slice at (8,0) ]
 *                      ^ begin                          end ^ = (8,3)
 *
 * `deadLetters` are records between `begin` and `end` that were removed from the slices. They are committed
 * when the cursor moves to `end`, not before.
 */
export interface QueuedBatch {
  readonly batch: Batch;
  /** Where each slice of `batch` begins. */
  readonly positions: readonly CursorPoint[];
  readonly begin: CursorPoint;
  readonly end: CursorPoint;
  readonly deadLetters: readonly QueuedDeadLetter[];
  /** When the queue accepted the first record. */
  readonly acceptedTimeUnixNano: bigint;
}

export interface QueuedDeadLetter {
  readonly at: CursorPoint;
  readonly letter: NewDeadLetter;
}

/** Cuts a batch of at least two records in two, so that each half has records to emit. */
export function halve(queued: QueuedBatch): [QueuedBatch, QueuedBatch] {
  const middle = queued.batch.recordCount >> 1;
  const left = sliced(queued, 0, middle);
  const right = sliced(queued, middle, queued.batch.recordCount);
  const border = right.positions[0] ?? queued.end;
  const inLeft = ({ at }: QueuedDeadLetter) => isBefore(at, border);
  return [
    { ...queued, ...left, end: border, deadLetters: queued.deadLetters.filter(inLeft) },
    { ...queued, ...right, begin: border, deadLetters: queued.deadLetters.filter((dead) => !inLeft(dead)) },
  ];
}

/**
 * Returns the batch without the records of these indexes (ascending); each of those becomes a dead letter.
 */
export function setAside(queued: QueuedBatch, indexes: readonly number[], reason: string): QueuedBatch {
  const kept: Cut = { slices: [], positions: [] };
  const deadLetters = [...queued.deadLetters];
  let from = 0;
  for (const index of indexes) {
    cutInto(kept, queued, from, index);
    const named: Cut = { slices: [], positions: [] };
    cutInto(named, queued, index, index + 1);
    deadLetters.push(...deadLettersOf(named.slices, named.positions, reason));
    from = index + 1;
  }
  cutInto(kept, queued, from, queued.batch.recordCount);
  return { ...queued, batch: batchOf(kept.slices), positions: kept.positions, deadLetters };
}

/**
 * All records that are still to be emitted, as dead letters: one for each slice. `kept`: only those of these indexes
 * (ascending), one for each run of consecutive ones.
 */
export function asDeadLetters(
  queued: QueuedBatch,
  reason: string,
  kept?: readonly number[],
): QueuedDeadLetter[] {
  if (kept === undefined) return deadLettersOf(queued.batch.slices, queued.positions, reason);
  const cut: Cut = { slices: [], positions: [] };
  for (let at = 0; at < kept.length; ) {
    const from = kept[at] ?? 0;
    let to = from + 1;
    for (at++; kept[at] === to; at++) to++;
    cutInto(cut, queued, from, to);
  }
  return deadLettersOf(cut.slices, cut.positions, reason);
}

interface Cut {
  readonly slices: RecordBatch[];
  readonly positions: CursorPoint[];
}

function deadLettersOf(
  slices: readonly RecordBatch[],
  positions: readonly CursorPoint[],
  reason: string,
): QueuedDeadLetter[] {
  return slices.map((records, index) => ({
    at: positions[index] ?? NO_POSITION,
    letter: { records, reason },
  }));
}

function sliced(queued: QueuedBatch, from: number, to: number): Pick<QueuedBatch, 'batch' | 'positions'> {
  const cut: Cut = { slices: [], positions: [] };
  cutInto(cut, queued, from, to);
  return { batch: batchOf(cut.slices), positions: cut.positions };
}

/** Adds the records `[from, to)` of the batch, counted over all its slices. */
function cutInto(cut: Cut, { batch, positions }: QueuedBatch, from: number, to: number): void {
  let first = 0;
  batch.slices.forEach((slice, index) => {
    const begin = Math.max(from - first, 0);
    const end = Math.min(to - first, slice.sizes.length);
    if (begin < end) {
      const { entry, record } = positions[index] ?? NO_POSITION;
      cut.slices.push(sliceRecords(slice, begin, end));
      cut.positions.push({ entry, record: record + begin });
    }
    first += slice.sizes.length;
  });
}

/** Never used: each slice has a position. */
const NO_POSITION: CursorPoint = { entry: 0, record: 0 };
