import { type ChangedColumn, sliceChanged } from './changed-records.ts';
import { type PeerColumn, slicePeers } from './peer-column.ts';
import type { Position } from './position.ts';
import type { QueuePlace } from './queue-place.ts';
import type { Resource } from './resource.ts';
import type { StreamId } from './stream-id.ts';

/**
 * A contiguous run of records of one stream, as columns: one buffer with the concatenated records, and the
 * size of each. Between disk and disk there is no object for a single record; slicing, deduplication and
 * counting are arithmetic on the sizes.
 *
 *     sizes   [   5,        7,     4 ]
 *     data    hello\n world!\n abc\n      data.length = sum of sizes
 *     start   ^                     ^ end = start + data.length
 *
 * A record's bytes include its line ending as read. A batch is never changed: slices share its buffer. It
 * survives a structured clone, so an emitter may run in a worker thread.
 */
export interface RecordBatch extends PeerColumn, ChangedColumn {
  readonly stream: StreamId;
  /** The position of the first record. */
  readonly start: Position;
  readonly resource: Resource;
  /** The format of the records: `plain`, `combined`, `json`, ... Unknown names are read as `plain`. */
  readonly format: string;
  /** When the collector read the records. */
  readonly observedTimeUnixNano: bigint;
  /** The size of each record in bytes; at least 1 each. */
  readonly sizes: Uint32Array;
  /** Incomplete records, ascending by index. Usually empty. */
  readonly marks: readonly MarkedRecord[];
  readonly data: Uint8Array;
  /** Set when the records are emitted from the queue; absent for a dead letter that is emitted again. */
  readonly place?: QueuePlace;
}

export interface MarkedRecord {
  readonly index: number;
  readonly mark: RecordMark;
}

/**
 * `cut`: longer than the limit, the rest follows as separate records. `unterminated`: sent before its line
 * ended.
 */
export type RecordMark = 'cut' | 'unterminated';

export const NO_MARKS: readonly MarkedRecord[] = [];

/** The position in the stream after the last byte of the batch. */
export function endOf(batch: RecordBatch): Position {
  return batch.start + batch.data.length;
}

/**
 * The records `[from, to)` of a batch, as a separate batch, without a copy. A caller that cuts a batch from
 * front to back passes the offset of `from` in `data`, which avoids adding up sizes.
 */
export function sliceRecords(
  batch: RecordBatch,
  from: number,
  to: number,
  dataStart = offsetOfRecord(batch, from),
): RecordBatch {
  if (from === 0 && to >= batch.sizes.length) return batch;
  const dataEnd = offsetOfRecord(batch, to, from, dataStart);
  return {
    ...batch,
    start: batch.start + dataStart,
    sizes: batch.sizes.subarray(from, to),
    marks: sliceMarks(batch.marks, from, to),
    ...slicePeers(batch, from, to),
    ...sliceChanged(batch, from, to),
    data: batch.data.subarray(dataStart, dataEnd),
  };
}

/**
 * The bytes `[start, end)` of a batch (positions in its stream), as a separate batch: the new part of a batch
 * that overlaps stored bytes. A record at the edge is cut: its rest is a record too.
 */
export function sliceBytes(batch: RecordBatch, start: Position, end: Position): RecordBatch {
  if (start <= batch.start && end >= endOf(batch)) return batch;
  const from = Math.max(0, start - batch.start);
  const to = Math.min(batch.data.length, end - batch.start);
  const sizes: number[] = [];
  const marks: MarkedRecord[] = [];
  const markOf = new Map(batch.marks.map(({ index, mark }) => [index, mark]));
  let offset = 0;
  let first = batch.sizes.length;
  for (let index = 0; index < batch.sizes.length && offset < to; index++) {
    const next = offset + (batch.sizes[index] ?? 0);
    const recordFrom = Math.max(offset, from);
    const recordTo = Math.min(next, to);
    if (recordTo > recordFrom) {
      first = Math.min(first, index);
      const mark = recordTo < next ? 'cut' : markOf.get(index);
      if (mark !== undefined) marks.push({ index: sizes.length, mark });
      sizes.push(recordTo - recordFrom);
    }
    offset = next;
  }
  return {
    ...batch,
    start: batch.start + from,
    sizes: Uint32Array.from(sizes),
    marks,
    ...slicePeers(batch, first, first + sizes.length),
    ...sliceChanged(batch, first, first + sizes.length),
    data: batch.data.subarray(from, to),
  };
}

/**
 * Offset of record `index` in `data`; `data.length` for the index after the last. A known pair avoids adding
 * up sizes.
 */
export function offsetOfRecord(batch: RecordBatch, index: number, knownIndex = 0, knownOffset = 0): number {
  if (index >= batch.sizes.length) return batch.data.length;
  let offset = knownOffset;
  for (let i = knownIndex; i < index; i++) offset += batch.sizes[i] ?? 0;
  return offset;
}

/** Calls `visit` with the bytes of each record, line ending included, in order. */
export function forEachRecord(
  batch: RecordBatch,
  visit: (bytes: Uint8Array, index: number, position: Position) => void,
): void {
  let offset = 0;
  for (let index = 0; index < batch.sizes.length; index++) {
    const end = offset + (batch.sizes[index] ?? 0);
    visit(batch.data.subarray(offset, end), index, batch.start + offset);
    offset = end;
  }
}

function sliceMarks(marks: readonly MarkedRecord[], from: number, to: number): readonly MarkedRecord[] {
  if (marks.length === 0) return marks;
  return marks
    .filter(({ index }) => index >= from && index < to)
    .map(({ index, mark }) => ({ index: index - from, mark }));
}
