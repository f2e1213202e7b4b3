import type { Amount } from '../../records/amount.ts';
import { NOTHING, plus } from '../../records/amount.ts';
import type { ChecksumPair } from '../../records/checksum-codec.ts';
import { combineCrc32 } from '../../records/combine-crc32.ts';
import type { Position } from '../../records/position.ts';
import { addRange, lastEnd, outside, type Ranges } from '../../records/ranges.ts';
import { endOf, type RecordBatch, sliceBytes } from '../../records/record-batch.ts';
import {
  compareChecksums,
  emptyChecksum,
  extendChecksum,
  type RunningChecksum,
} from '../../records/running-checksum.ts';
import type { StreamId } from '../../records/stream-id.ts';
import { encodeRecordBatchHead } from '../../records/wire.ts';
import type { PayloadPart } from '../segments/segment-format.ts';
import { FOREIGN_STREAM, ownerOf, rangesOf, type StreamProgress, sameOwner } from './ledger.ts';
import {
  BatchRefusedError,
  type IncomingBatch,
  OtherBytesError,
  type StreamOwner,
} from './queue-contract.ts';
import type { StreamRow } from './queue-tables.ts';
import type { StreamCounts } from './stream-counts.ts';

/** The additions of a group of batches, computed before anything is written. */
export interface GroupPlan {
  /**
   * In order of arrival: one for each new batch, several when it is new in pieces, none when it is not new.
   */
  readonly entries: readonly PlannedEntry[];
  /** The future rows of the streams. */
  readonly streams: ReadonlyMap<StreamId, StreamProgress>;
  readonly kept: Amount;
  readonly repeatedBytes: number;
  readonly gaps: number;
}

/** A stream with more gaps than this is rejected: its row is written with each batch. */
export const MAX_RANGES = 1000;
/**
 * The kept ranges of a stream that several aggregators receive. More than the messages that a broker delivers again after a
 * failure.
 */
export const MAX_SHARED_RANGES = 256;

export interface PlannedEntry {
  readonly batch: RecordBatch;
  /** The RecordBatch message, in parts. */
  readonly payload: readonly PayloadPart[];
  /** It has all records of a received message, and its memory. */
  readonly ownsBytes: boolean;
}

/** Collects batches; each is compared with the ledger and with the batches before it. */
export class GroupPlanner implements GroupPlan {
  readonly entries: PlannedEntry[] = [];
  readonly streams = new Map<StreamId, StreamProgress>();
  /** New streams of the group, by collector. */
  readonly newStreams = new Map<string, number>();
  readonly #parts: GroupPlannerParts;
  kept: Amount = NOTHING;
  repeatedBytes = 0;
  gaps = 0;

  constructor(parts: GroupPlannerParts) {
    this.#parts = parts;
  }

  /** Throws a QueueError, and adds nothing, when the batch cannot be accepted. */
  add(incoming: IncomingBatch): void {
    const { batch } = incoming;
    const before = this.streams.get(batch.stream) ?? this.#progressOf(batch.stream);
    checkOwner(before, incoming);
    checkBytes(before, incoming);
    const parts = outside({ start: batch.start, end: endOf(batch) }, before.ranges);
    const united = addRange(before.ranges, { start: batch.start, end: endOf(batch) });
    const ranges = incoming.isShared ? united.slice(-MAX_SHARED_RANGES) : united;
    if (ranges.length > MAX_RANGES) {
      throw new BatchRefusedError(`Stream ${batch.stream} has more than ${MAX_RANGES} gaps`);
    }
    if (parts.length === 0) {
      this.repeatedBytes += batch.data.length;
      return;
    }
    const owner = before.owner ?? incoming.writer?.owner;
    if (before.ranges.length === 0) this.#countNew(owner);
    const pieces = parts.map(({ start, end }) => sliceBytes(batch, start, end));
    const amount = amountOf(pieces);
    for (const piece of pieces) {
      const ownsBytes = piece === batch;
      this.entries.push({ batch: piece, payload: payloadOf(piece, incoming), ownsBytes });
    }
    this.streams.set(batch.stream, {
      ranges,
      endCheck: endOf(batch) >= lastEnd(ranges) ? incoming.endCheck : before.endCheck,
      checksum: checksumAfter(before, incoming),
      owner,
      instance: incoming.writer?.instance ?? before.instance,
      records: before.records + amount.records,
      bytes: before.bytes + amount.bytes,
    });
    this.kept = plus(this.kept, amount);
    this.repeatedBytes += batch.data.length - amount.bytes;
    if (isBehindGap(batch, before.ranges)) this.gaps++;
  }

  #progressOf(stream: StreamId): StreamProgress {
    const pending = this.#parts.pending?.streams.get(stream);
    if (pending !== undefined) return pending;
    const row = this.#parts.rowOf(stream);
    const claim = this.#parts.claimOf(stream);
    if (row === undefined) return { ...NO_PROGRESS, owner: claim };
    return {
      ranges: rangesOf(row),
      endCheck: row.endCheck,
      checksum: row.checksum ?? null,
      owner: row.owner === null ? claim : ownerOf(row.owner),
      instance: undefined,
      records: row.records,
      bytes: row.bytes,
    };
  }

  #countNew(owner: StreamOwner | undefined): void {
    if (owner === undefined) return;
    const count = (this.newStreams.get(owner.collectorId) ?? 0) + 1;
    const { streamCounts, pending } = this.#parts;
    const pendingCount = pending?.newStreams.get(owner.collectorId) ?? 0;
    if (!streamCounts.hasRoom(owner.collectorId, count + pendingCount))
      throw new BatchRefusedError(streamCounts.refusal);
    this.newStreams.set(owner.collectorId, count);
  }
}

export interface GroupPlannerParts {
  /** As committed. */
  readonly rowOf: (stream: StreamId) => StreamRow | undefined;
  /** The collector that opened a stream without a row. */
  readonly claimOf: (stream: StreamId) => StreamOwner | undefined;
  readonly streamCounts: StreamCounts;
  /** The group before this one, whose transaction is not on disk yet. */
  readonly pending?: Pick<GroupPlanner, 'streams' | 'newStreams'> | undefined;
}

const NO_PROGRESS: StreamProgress = {
  ranges: [],
  endCheck: null,
  checksum: null,
  owner: undefined,
  instance: undefined,
  records: 0,
  bytes: 0,
};

function checkOwner({ owner }: StreamProgress, { writer }: IncomingBatch): void {
  if (owner === undefined || writer === undefined || sameOwner(owner, writer.owner)) return;
  throw new BatchRefusedError(FOREIGN_STREAM);
}

/**
 * Whether the batch continues the bytes in the ledger, as far as both sides have checksums. An overlap that
 * ends before the ledger's last range has no checksum: it is accepted when the collector has compared that
 * range.
 */
function checkBytes({ ranges, checksum }: StreamProgress, { batch, checksums, writer }: IncomingBatch): void {
  const end = lastEnd(ranges);
  if (checksum === null || checksums === undefined || batch.start > end) return;
  if (endOf(batch) >= end) {
    if (compareChecksums(checksumAt(end, batch, checksums), checksum) === 'other')
      throw new OtherBytesError(OTHER_BYTES);
  } else if (writer !== undefined && writer.openedEnd < end) throw new OtherBytesError(UNVERIFIED);
}

/** The sender's checksum at a position of the batch. Only a partial overlap needs a pass over its bytes. */
function checksumAt(position: Position, batch: RecordBatch, { start, end }: ChecksumPair): RunningChecksum {
  if (position === endOf(batch)) return end;
  return extendChecksum(start, batch.data.subarray(0, position - batch.start));
}

const OTHER_BYTES = 'other bytes are stored under this stream';
const UNVERIFIED = 'the stream has grown since it was opened on this call';

/**
 * The checksum at the end of the ledger including this batch. Without the collector's, the stored one is
 * extended.
 */
function checksumAfter(before: StreamProgress, { batch, checksums }: IncomingBatch): RunningChecksum | null {
  const known = lastEnd(before.ranges);
  if (endOf(batch) <= known) return before.checksum;
  if (checksums !== undefined) return checksums.end;
  const extended = before.ranges.length === 0 ? emptyChecksum(0) : before.checksum;
  if (extended === null || batch.start > known) return null;
  return extendChecksum(extended, newBytes(batch, known));
}

function newBytes({ data, start }: RecordBatch, known: Position): Uint8Array {
  return data.subarray(known - start);
}

/** A batch that is stored completely is written as received. */
function payloadOf(piece: RecordBatch, incoming: IncomingBatch): readonly PayloadPart[] {
  if (piece === incoming.batch) return receivedParts(incoming);
  return [encodeRecordBatchHead(piece, { compression: 'none', bytes: piece.data }), piece.data];
}

/**
 * The message as received. Uncompressed records at its end are a part of their own: the checksums of the batch contain
 * theirs, so it is not computed a second time.
 */
function receivedParts({ batch: { data }, encoded, checksums }: IncomingBatch): readonly PayloadPart[] {
  const headLength = encoded.length - data.length;
  const isAtEnd = data.buffer === encoded.buffer && data.byteOffset === encoded.byteOffset + headLength;
  if (checksums === undefined || !isAtEnd) return [encoded];
  const crc32 = combineCrc32(checksums.start.crc32, checksums.end.crc32, data.length);
  return [encoded.subarray(0, headLength), { bytes: data, crc32 }];
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
