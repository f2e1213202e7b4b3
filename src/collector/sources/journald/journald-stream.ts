import type { ExportEntry } from '../../../protocols/journal-export/export-entry.ts';
import type { Amount } from '../../../records/amount.ts';
import { LIMITS } from '../../../records/limits.ts';
import type { Position } from '../../../records/position.ts';
import { NO_MARKS } from '../../../records/record-batch.ts';
import type { Resource } from '../../../records/resource.ts';
import { compareChecksums } from '../../../records/running-checksum.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { KnownToAggregator, ResumeDecision, SourceStream, StreamRead } from '../../source.ts';
import type { StreamStatus } from '../../stream-status.ts';
import { AcceptedReads } from '../tail/reading/accepted-reads.ts';
import type { JournaldEvents } from './events.ts';
import type { JournalFollower } from './journal-follower.ts';
import { checkAt, checksumAt, type JournalCheckpoint, type JournalMark, markAfter } from './journal-state.ts';

export interface JournaldStreamParts {
  readonly id: StreamId;
  readonly checkpoint: JournalCheckpoint;
  readonly follower: JournalFollower;
  readonly resource: Resource;
  readonly clock: Clock;
  readonly events: JournaldEvents;
  readonly host: JournaldStreamHost;
}

export interface JournaldStreamHost {
  /** The checkpoint has changed. */
  changed(stream: JournaldStream): void;
  /** The aggregator has other bytes of this stream: another stream must continue. */
  diverged(stream: JournaldStream): void;
}

const WAITING: StreamRead = { kind: 'waiting' };

/**
 * A journal as the publisher reads it. A journal is a file: its entries can be read again, so a checkpoint is a position
 * in the stream and the cursor of the entry before it. After a restart the same entries have the same positions.
 */
export class JournaldStream implements SourceStream {
  readonly id: StreamId;
  readonly #parts: JournaldStreamParts;
  readonly #reads = new AcceptedReads();
  #accepted: Position;
  #readEnd: Position;
  #gone: string | undefined;
  /** Ascending. The first one is the last that is not after `accepted`, the last one is where reading continues. */
  #marks: JournalMark[];
  /** Arrived, and not handed out. */
  #pending: readonly ExportEntry[] = [];
  /** The aggregator's evidence for a position that is not read again yet. */
  #expected: Evidence | undefined;
  #hasDiverged = false;

  constructor(parts: JournaldStreamParts) {
    this.#parts = parts;
    this.id = parts.id;
    const { accepted, mark, readEnd, gone } = parts.checkpoint;
    this.#accepted = accepted;
    this.#readEnd = readEnd;
    this.#gone = gone;
    this.#marks = [mark];
  }

  get accepted(): Position {
    return this.#accepted;
  }

  get checkpoint(): JournalCheckpoint {
    return {
      origin: this.#parts.checkpoint.origin,
      accepted: this.#accepted,
      mark: this.#base,
      readEnd: this.#readEnd,
      ...(this.#gone !== undefined && { gone: this.#gone }),
    };
  }

  get status(): StreamStatus {
    const readBytes = Math.max(this.#readEnd, this.#accepted);
    return {
      stream: this.id,
      origin: this.#parts.checkpoint.origin,
      readBytes,
      acceptedBytes: this.#accepted,
      waitingBytes: readBytes - this.#accepted,
    };
  }

  /** Read in this run and accepted. */
  get acceptedReads(): Amount {
    return this.#reads.accepted;
  }

  /** For `once`: all existing entries are accepted. */
  get isDrained(): boolean {
    const isRead = this.#parts.follower.isFinished && this.#pending.length === 0;
    return isRead && this.#accepted >= this.#place.position;
  }

  async resume(known: KnownToAggregator): Promise<ResumeDecision> {
    const { end, contiguousEnd } = known;
    const mark = this.#marks.find(({ position }) => position === end);
    if (this.#hasDiverged || (mark !== undefined && end > 0 && differs(mark, known))) {
      this.#diverge();
      return { kind: 'ended' };
    }
    this.#expected = mark === undefined && end > this.#accepted ? known : undefined;
    if (this.#expected !== undefined && this.#hasGap) {
      this.#diverge();
      return { kind: 'ended' };
    }
    const from = Math.max(this.#accepted, contiguousEnd);
    if (mark !== undefined && from <= this.#place.position) this.accept(from);
    return { kind: 'continue', from };
  }

  async read(from: Position, buffer: Buffer): Promise<StreamRead> {
    if (this.#hasDiverged) return WAITING;
    if (from < this.#place.position) await this.#rewind(from);
    if (!this.#readUntil(from)) return WAITING;
    return this.#nextBatch(buffer);
  }

  accept(end: Position): void {
    if (end <= this.#accepted) return;
    this.#accepted = end;
    this.#reads.accept(end);
    const later = this.#marks.findIndex(({ position }) => position > end);
    this.#marks.splice(0, (later === -1 ? this.#marks.length : later) - 1);
    this.#parts.host.changed(this);
  }

  /** The next call tries again; the journal keeps the entries. */
  refuse(): void {}

  /** No entry before this cursor is unknown. */
  advance(cursor: string): void {
    if (this.#pending.length > 0) return;
    this.#marks[this.#marks.length - 1] = { ...this.#place, cursor };
    this.#parts.host.changed(this);
  }

  /** Returns true for a cursor that was reported before. */
  reportGone(cursor: string): boolean {
    if (this.#gone === cursor) return true;
    this.#gone = cursor;
    this.#parts.host.changed(this);
    // The aggregator has bytes of entries that cannot be read again: what follows needs a stream of its own.
    if (this.#expected !== undefined) this.#diverge();
    return false;
  }

  /** Entries after the base are gone: its bytes cannot be read again. */
  get #hasGap(): boolean {
    return this.#gone !== undefined && this.#gone === this.#base.cursor;
  }

  get #base(): JournalMark {
    return this.#marks[0] ?? this.#parts.checkpoint.mark;
  }

  get #place(): JournalMark {
    return this.#marks.at(-1) ?? this.#base;
  }

  /** Begins again at the last known place that is not after `from`. */
  async #rewind(from: Position): Promise<void> {
    this.#marks = this.#marks.filter(({ position }, index) => index === 0 || position <= from);
    this.#pending = [];
    this.#reads.restartAt(from);
    await this.#parts.follower.startAfter(this.#place.cursor);
  }

  /** Reads entries that the aggregator has, without sending them. False: not all have arrived, or they differ. */
  #readUntil(from: Position): boolean {
    while (this.#place.position < from) {
      const [entry] = this.#arrived();
      if (entry === undefined) return false;
      this.#pending = this.#pending.slice(1);
      const place = markAfter(this.#place, entry.bytes, entry.cursor);
      if (place.position > from || this.#isUnexpected(place)) {
        this.#diverge();
        return false;
      }
      // Accepted only up to here at most: the base stays where the acceptance is certain.
      this.#passed(place, place.position === from);
    }
    return true;
  }

  #passed(place: JournalMark, isAtEnd: boolean): void {
    // While reading again, only the last place is needed besides the base.
    this.#marks = [this.#base, place];
    this.#readEnd = Math.max(this.#readEnd, place.position);
    if (isAtEnd && this.#expected === undefined) this.accept(place.position);
  }

  #nextBatch(buffer: Buffer): StreamRead {
    const start = this.#place;
    const room = Math.min(buffer.length, LIMITS.batchBytes);
    const sizes: number[] = [];
    let bytes = 0;
    let place = start;
    for (let entries = this.#arrived(); entries.length > 0; entries = this.#arrived()) {
      const fitting = countFitting(entries, room - bytes, LIMITS.batchRecords - sizes.length);
      for (const entry of entries.slice(0, fitting)) {
        entry.bytes.copy(buffer, bytes);
        bytes += entry.bytes.length;
        sizes.push(entry.bytes.length);
        if (entry.isShortened) this.#parts.events.shortened({ journal: this.#parts.checkpoint.origin });
        if (this.#expected === undefined) continue;
        place = markAfter(start, buffer.subarray(0, bytes), entry.cursor);
        if (this.#isUnexpected(place)) return this.#diverge();
      }
      const last = entries[fitting - 1];
      this.#pending = entries.slice(fitting);
      if (last !== undefined) place = markAfter(start, buffer.subarray(0, bytes), last.cursor);
      if (fitting < entries.length) break;
    }
    return sizes.length === 0
      ? WAITING
      : this.#batch(start, place, { sizes, data: buffer.subarray(0, bytes) });
  }

  #batch(start: JournalMark, end: JournalMark, { sizes, data }: Gathered): StreamRead {
    const { id, resource, clock, events, checkpoint } = this.#parts;
    this.#marks.push(end);
    this.#readEnd = Math.max(this.#readEnd, end.position);
    this.#parts.host.changed(this);
    const amount = { records: sizes.length, bytes: data.length };
    this.#reads.read(end.position, amount);
    events.read({ journal: checkpoint.origin, ...amount });
    return {
      kind: 'records',
      batch: {
        ...{ stream: id, start: start.position, resource, format: 'journald' },
        observedTimeUnixNano: clock.nowUnixNano(),
        ...{ sizes: Uint32Array.from(sizes), marks: NO_MARKS, data },
      },
      endCheck: checkAt(end),
      checksums: { start: checksumAt(start), end: checksumAt(end) },
    };
  }

  #arrived(): readonly ExportEntry[] {
    if (this.#pending.length === 0) this.#pending = this.#parts.follower.take();
    return this.#pending;
  }

  /** Whether the aggregator has other bytes before the position that it has returned. */
  #isUnexpected(place: JournalMark): boolean {
    const expected = this.#expected;
    if (expected === undefined || place.position < expected.end) return false;
    this.#expected = undefined;
    return place.position > expected.end || differs(place, expected);
  }

  #diverge(): StreamRead {
    if (!this.#hasDiverged) {
      this.#hasDiverged = true;
      this.#parts.host.diverged(this);
    }
    return WAITING;
  }
}

type Evidence = Pick<KnownToAggregator, 'end' | 'check' | 'checksum'>;

function differs(mark: JournalMark, { check, checksum }: Evidence): boolean {
  if (checksum !== undefined && compareChecksums(checksumAt(mark), checksum) === 'other') return true;
  return check !== undefined && checkAt(mark) !== check;
}

interface Gathered {
  readonly sizes: readonly number[];
  readonly data: Buffer;
}

function countFitting(entries: readonly ExportEntry[], room: number, maxCount: number): number {
  let bytes = 0;
  let count = 0;
  while (count < Math.min(entries.length, maxCount)) {
    bytes += entries[count]?.bytes.length ?? 0;
    if (bytes > room) break;
    count++;
  }
  return count;
}
