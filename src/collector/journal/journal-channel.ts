import type { StreamId } from '../../records/stream-id.ts';
import { Growth } from '../growth.ts';
import { ChannelChecksums } from './channel-checksums.ts';
import type { ChannelRow, LabelRow } from './journal-index.ts';
import type { KnownTail } from './journal-reader.ts';
import type { Loss } from './loss.ts';
import { PendingRecords, type RecordLabel } from './pending-records.ts';
import type { Watermark } from './watermark.ts';

/** What a channel begins with, besides its row. */
export interface ChannelBeginning {
  readonly flushedEnd: number;
  readonly share: Watermark;
  readonly nowMs: number;
}

/**
 * What is known of one origin's records, written and unwritten. Positions are the journal's:
 *
 *     0 ...... tails[].end .......... accepted ............. flushedEnd ........
 *       removed           removed soon         to be published        pending
 */
export class JournalChannel {
  readonly number: number;
  readonly origin: string;
  readonly pending = new PendingRecords();
  /** Of the bytes that are flushed and not accepted, and those pending. */
  readonly share: Watermark;
  stream: StreamId;
  /** Where the stream begins. */
  offset: number;
  accepted: number;
  flushedEnd: number;
  readonly checksums: ChannelChecksums;
  /** Of the flushed end. */
  readonly growth: Growth;
  /** As of the last removal; two while one is under way. */
  tails: readonly KnownTail[];
  closed: boolean;
  pendingBytes = 0;
  loss: Loss | undefined;
  lossLabel: RecordLabel | undefined;
  /** Since the row was last made dirty for it. */
  lossChanged = false;
  /** A record that tells of the loss is pending. */
  telling = false;
  /** The row is not as it should be. */
  dirty: boolean;
  /** Nothing of the stream is on disk yet, and nobody has been told of it. */
  unopened = false;

  constructor(number: number, row: ChannelRow, { flushedEnd, share, nowMs }: ChannelBeginning) {
    this.number = number;
    this.origin = row.origin;
    this.stream = row.stream;
    this.offset = row.offset;
    // A stream that began anew began at the accepted end; the row may not have come so far.
    this.accepted = Math.max(row.accepted, row.offset);
    this.checksums = ChannelChecksums.of(row, this.accepted);
    this.dirty = this.accepted !== row.accepted;
    this.flushedEnd = Math.max(flushedEnd, this.accepted);
    this.growth = new Growth(this.flushedEnd, nowMs);
    this.tails = [{ end: row.accepted, bytes: Buffer.from(row.tail, 'base64') }];
    this.closed = row.closed;
    this.loss = row.loss ?? undefined;
    this.lossLabel = row.lossLabel === null ? undefined : labelOf(row.lossLabel);
    this.share = share;
  }

  get heldBytes(): number {
    return this.flushedEnd - this.accepted + this.pendingBytes;
  }

  /** More is accepted than the row says. */
  get isBehind(): boolean {
    return this.accepted !== this.tails[0]?.end;
  }

  /** Nothing more will come, and all of it is accepted. */
  get finished(): boolean {
    return (
      this.closed && this.accepted === this.flushedEnd && this.pending.isEmpty && this.loss === undefined
    );
  }

  /** What is to be kept. `tail` belongs to `accepted`; what is accepted since is asked of the aggregator. */
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

/** The row of an origin that is new. */
export function newChannelRow(origin: string, stream: StreamId): ChannelRow {
  return { origin, stream, offset: 0, accepted: 0, tail: '', closed: false, loss: null, lossLabel: null };
}

function rowOf({ format, resource }: RecordLabel): LabelRow {
  return { format, resource: [...resource] };
}

function labelOf({ format, resource }: LabelRow): RecordLabel {
  return { format, resource: new Map(resource) };
}
