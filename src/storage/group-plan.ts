import { addRange, lastEnd, outside, type Ranges } from '../records/ranges.ts';
import { endOf, type RecordBatch, sliceBytes } from '../records/record-batch.ts';
import type { StreamId } from '../records/stream-id.ts';
import { encodeRecordBatchHead } from '../records/wire.ts';
import { NOTHING, plus } from './amount.ts';
import { rangesOf, type StreamProgress } from './ledger.ts';
import { type Amount, BatchRefusedError, type IncomingBatch } from './queue-contract.ts';
import type { StreamRow } from './queue-tables.ts';

/** A stream with more holes than this is refused: its row is written with every batch. */
export const MAX_RANGES = 1000;

/** What a group of batches will add, worked out before anything is written. */
export interface GroupPlan {
  /** In order of arrival: one per batch that is new, several when it is new in pieces, none when it is not. */
  readonly entries: readonly PlannedEntry[];
  /** The streams as they will be. */
  readonly streams: ReadonlyMap<StreamId, StreamProgress>;
  readonly kept: Amount;
  readonly repeatedBytes: number;
  readonly gaps: number;
}

export interface PlannedEntry {
  readonly batch: RecordBatch;
  /** The RecordBatch message, in parts. */
  readonly payload: readonly Uint8Array[];
}

/** Collects batches; each is held against the ledger and against what the batches before it add. */
export class GroupPlanner implements GroupPlan {
  readonly entries: PlannedEntry[] = [];
  readonly streams = new Map<StreamId, StreamProgress>();
  readonly #rowOf: (stream: StreamId) => StreamRow | undefined;
  kept: Amount = NOTHING;
  repeatedBytes = 0;
  gaps = 0;

  constructor(rowOf: (stream: StreamId) => StreamRow | undefined) {
    this.#rowOf = rowOf;
  }

  /** Throws a QueueError, and adds nothing, when the batch cannot be taken. */
  add(incoming: IncomingBatch): void {
    const { batch } = incoming;
    const before = this.streams.get(batch.stream) ?? progressOf(this.#rowOf(batch.stream));
    const parts = outside({ start: batch.start, end: endOf(batch) }, before.ranges);
    const ranges = addRange(before.ranges, { start: batch.start, end: endOf(batch) });
    if (ranges.length > MAX_RANGES) {
      throw new BatchRefusedError(`Stream ${batch.stream} has more than ${MAX_RANGES} gaps`);
    }
    if (parts.length === 0) {
      this.repeatedBytes += batch.data.length;
      return;
    }
    const pieces = parts.map(({ start, end }) => sliceBytes(batch, start, end));
    const amount = amountOf(pieces);
    for (const piece of pieces) {
      this.entries.push({ batch: piece, payload: payloadOf(piece, incoming) });
    }
    this.streams.set(batch.stream, {
      ranges,
      endCheck: endOf(batch) >= lastEnd(ranges) ? incoming.endCheck : before.endCheck,
      records: before.records + amount.records,
      bytes: before.bytes + amount.bytes,
    });
    this.kept = plus(this.kept, amount);
    this.repeatedBytes += batch.data.length - amount.bytes;
    if (isBehindGap(batch, before.ranges)) this.gaps++;
  }
}

function progressOf(row: StreamRow | undefined): StreamProgress {
  if (row === undefined) return { ranges: [], endCheck: null, records: 0, bytes: 0 };
  return { ranges: rangesOf(row), endCheck: row.endCheck, records: row.records, bytes: row.bytes };
}

/** A batch that is kept whole goes to the disk as it came. */
function payloadOf(piece: RecordBatch, { batch, encoded }: IncomingBatch): readonly Uint8Array[] {
  if (piece === batch) return [encoded];
  return [encodeRecordBatchHead(piece, { compression: 'none', bytes: piece.data }), piece.data];
}

function isBehindGap(batch: RecordBatch, ranges: Ranges): boolean {
  return ranges.length > 0 && batch.start > lastEnd(ranges);
}

function amountOf(batches: readonly RecordBatch[]): Amount {
  let amount = NOTHING;
  for (const { sizes, data } of batches) {
    amount = plus(amount, { records: sizes.length, bytes: data.length });
  }
  return amount;
}
