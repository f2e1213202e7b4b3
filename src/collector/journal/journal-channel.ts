import type { Position } from '../../records/position.ts';
import type { StreamId } from '../../records/stream-id.ts';
import { SizeHistory } from '../size-history.ts';
import { ChannelChecksums } from './channel-checksums.ts';
import type { RunMemory } from './growing-run.ts';
import type { HysteresisLimit } from './hysteresis-limit.ts';
import type { ChannelRow, LabelRow } from './journal-index.ts';
import type { KnownTail } from './journal-reader.ts';
import type { Loss } from './loss.ts';
import { PendingRecords } from './pending-records.ts';
import type { RecordLabel } from './record-run.ts';

/**
 * The state of one origin's records, written and unwritten. Positions are those of the journal:
 *
 *     0 ...... tails[].end .......... accepted ........... indexedEnd ........ answeredEnd ...... writtenEnd ....... appendedEnd
 *       removed           removed soon         to be published       on disk           being written        pending
 */
export class JournalChannel {
  readonly number: number;
  readonly origin: string;
  readonly pending: PendingRecords;
  /** Limit for indexed, unaccepted bytes and pending bytes. */
  readonly share: HysteresisLimit;
  stream: StreamId;
  /** Journal position where the stream begins. */
  offset: number;
  accepted: number;
  /** The end of the records in the index: those that the publisher can read. */
  indexedEnd: number;
  /** The end of the records that each later process finds, as last reported to `onFlushed`. */
  answeredEnd: number;
  /** The end of the records that a write has taken. */
  writtenEnd: number;
  /** The end of all appended records: `indexedEnd` after a commit of what is pending now. */
  appendedEnd: number;
  onFlushed: ((end: Position) => void) | undefined;
  onStoring: ((end: Position) => void) | undefined;
  onStored: (() => void) | undefined;
  /** A restart can recover entries that are not in the index: nothing else must be stored together with them. */
  recoversEntries = true;
  /** The index has a row of the channel. */
  isStored: boolean;
  /** Written groups with this channel that have no transaction yet. */
  unindexedGroups = 0;
  readonly checksums: ChannelChecksums;
  /** Sizes of the indexed end. */
  readonly sizeHistory: SizeHistory;
  /** As of the last removal; two during a removal. */
  tails: readonly KnownTail[];
  closed: boolean;
  pendingBytes = 0;
  loss: Loss | undefined;
  lossLabel: RecordLabel | undefined;
  /** The loss changed since the row was last marked dirty for it. */
  lossChanged = false;
  /** A record that reports the loss is pending. */
  reporting = false;
  /** The stored row is outdated. */
  dirty: boolean;
  /** No record of the stream is on disk, and the stream was not offered yet. */
  unopened = false;

  constructor(
    number: number,
    row: ChannelRow,
    { indexedEnd, isStored, share, nowMs, memory }: ChannelBeginning,
  ) {
    this.number = number;
    this.pending = new PendingRecords(memory);
    this.origin = row.origin;
    this.stream = row.stream;
    this.offset = row.offset;
    // A restarted stream began at the accepted end; the stored row may be older.
    this.accepted = Math.max(row.accepted, row.offset);
    this.checksums = ChannelChecksums.of(row, this.accepted);
    this.dirty = this.accepted !== row.accepted;
    this.indexedEnd = Math.max(indexedEnd, this.accepted);
    this.answeredEnd = this.indexedEnd;
    this.writtenEnd = this.indexedEnd;
    this.appendedEnd = this.indexedEnd;
    this.isStored = isStored;
    this.sizeHistory = new SizeHistory(this.indexedEnd, nowMs);
    this.tails = [{ end: row.accepted, bytes: Buffer.from(row.tail, 'base64') }];
    this.closed = row.closed;
    this.loss = row.loss ?? undefined;
    this.lossLabel = row.lossLabel === null ? undefined : labelOf(row.lossLabel);
    this.share = share;
  }

  get heldBytes(): number {
    return this.indexedEnd - this.accepted + this.pendingBytes;
  }

  /** More is accepted than the stored row contains. */
  get isRowOutdated(): boolean {
    return this.accepted !== this.tails[0]?.end;
  }

  /** The channel is closed and all its records are accepted. */
  get finished(): boolean {
    return this.closed && this.accepted === this.appendedEnd && this.loss === undefined;
  }

  /** All changes of the channel are in the index. */
  get isIndexed(): boolean {
    return !this.dirty && this.unindexedGroups === 0;
  }

  /** The row to store. `tail` belongs to `accepted`; the aggregator knows about later bytes. */
  row(tail: KnownTail, loss: Loss | undefined): ChannelRow {
    return {
      origin: this.origin,
      stream: this.stream,
      offset: this.offset,
      accepted: tail.end,
      tail: Buffer.from(tail.bytes).toString('base64'),
      checksum: this.checksums.row,
      closed: this.closed,
      loss: loss === undefined ? null : { ...loss },
      lossLabel: loss === undefined || this.lossLabel === undefined ? null : rowOf(this.lossLabel),
    };
  }
}

/** The initial state of a channel, besides its row. */
export interface ChannelBeginning {
  readonly indexedEnd: number;
  readonly isStored: boolean;
  readonly share: HysteresisLimit;
  readonly nowMs: number;
  /** Of pending records. */
  readonly memory: RunMemory;
}

/** The row of a new origin. */
export function newChannelRow(origin: string, stream: StreamId): ChannelRow {
  return { origin, stream, offset: 0, accepted: 0, tail: '', closed: false, loss: null, lossLabel: null };
}

function rowOf({ format, resource }: RecordLabel): LabelRow {
  return { format, resource: [...resource] };
}

function labelOf({ format, resource }: LabelRow): RecordLabel {
  return { format, resource: new Map(resource) };
}
