import { CHECK_WINDOW_BYTES } from '../../records/check.ts';
import type { Position } from '../../records/position.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { extendChecksum, type RunningChecksum } from '../../records/running-checksum.ts';
import { decodeRecordBatch } from '../../records/wire.ts';
import type { BufferPool } from '../../runtime/buffer-pool.ts';
import type { SegmentLocation } from '../../storage/segments/segment-format.ts';
import type { SegmentLog } from '../../storage/segments/segment-log.ts';
import type { PositionedChecksum } from './channel-checksums.ts';
import type { JournalEvents } from './events.ts';
import type { IndexedEntry, JournalIndex } from './journal-index.ts';

/**
 * Reads the entries of a journal. The newest ones are still in memory when they are published: entries that were remembered
 * are not read from the disk. The memory of an entry is reused when the entry is no longer remembered, so a remembered
 * entry is valid only until the end of the caller's synchronous code.
 */
export class JournalReader {
  readonly #index: JournalIndex;
  readonly #log: SegmentLog;
  readonly #events: JournalEvents;
  readonly #buffers: BufferPool;
  /** By the position in the log, oldest first. */
  readonly #newest = new Map<number, RecordBatch>();
  #newestBytes = 0;
  /** An entry from the disk that was read in part. */
  #begun: { readonly position: number; readonly entry: RecordBatch } | undefined;

  constructor({ index, log, events, buffers }: JournalReaderOptions) {
    this.#index = index;
    this.#log = log;
    this.#events = events;
    this.#buffers = buffers;
  }

  /** Locations of the entries from the one that contains `position`; at most `limit` plus one. */
  places(channel: number, position: number, limit: number): IndexedEntry[] {
    const first = this.#index.entryAt(channel, position);
    const rest = this.#index.entriesFrom(channel, first === undefined ? position : first.end, limit);
    return first === undefined ? rest : [first, ...rest];
  }

  /** Keeps an entry that was committed, instead of older ones. */
  remember({ location }: IndexedEntry, entry: RecordBatch): void {
    this.#newest.set(logPosition(location), entry);
    this.#newestBytes += memoryOf(entry);
    for (const position of this.#newest.keys()) {
      if (this.#newestBytes <= NEWEST_BYTES) return;
      this.#forget(position);
    }
  }

  /** The entry is removed. */
  forget({ location }: IndexedEntry): void {
    const position = logPosition(location);
    this.#forget(position);
    if (this.#begun?.position === position) this.#forgetBegun();
  }

  /** An entry in memory, which is valid until the caller returns or waits; undefined: it is on the disk only. */
  remembered({ location }: IndexedEntry): RecordBatch | undefined {
    const position = logPosition(location);
    const begun = this.#begun?.position === position ? this.#begun.entry : undefined;
    return this.#newest.get(position) ?? begun;
  }

  /** Reads an entry from the disk and sets its journal position; undefined when the disk has lost it. */
  async stored(place: IndexedEntry): Promise<RecordBatch | undefined> {
    try {
      const payload = await this.#log.read(place.location, (bytes) => this.#buffers.take(bytes));
      return { ...decodeRecordBatch(payload), start: place.start };
    } catch (error) {
      // The entry was accepted and removed after the look-up.
      if (this.#index.entryAt(place.channel, place.start) === undefined) return undefined;
      this.#events.entryLost({ sizeBytes: place.end - place.start, err: error });
      return undefined;
    }
  }

  /** All of an entry was read. If `stored` has read it, its memory is used again; without this call it becomes garbage. */
  release({ location }: IndexedEntry, entry: RecordBatch): void {
    if (this.#newest.get(logPosition(location)) === entry) return;
    if (this.#begun?.entry === entry) this.#begun = undefined;
    this.#buffers.release(entry.data);
  }

  /** The next read begins inside this entry: it is remembered until then. */
  keep({ location }: IndexedEntry, entry: RecordBatch): void {
    const position = logPosition(location);
    if (this.#newest.get(position) === entry || this.#begun?.entry === entry) return;
    this.#forgetBegun();
    this.#begun = { position, entry };
  }

  #forgetBegun(): void {
    if (this.#begun !== undefined) this.#buffers.release(this.#begun.entry.data);
    this.#begun = undefined;
  }

  /** The checksum at `position`, which is not before `base`; undefined when bytes between them are gone. */
  async checksumAt(
    channel: number,
    base: PositionedChecksum,
    position: Position,
  ): Promise<RunningChecksum | undefined> {
    let { at, value } = base;
    while (at < position) {
      const place = this.#index.entryAt(channel, at);
      const entry = place && (this.remembered(place) ?? (await this.stored(place)));
      if (entry === undefined) return undefined;
      const bytes = entry.data.subarray(at - entry.start, position - entry.start);
      value = extendChecksum(value, bytes);
      at += bytes.length;
    }
    return at === position ? value : undefined;
  }

  #forget(position: number): void {
    const entry = this.#newest.get(position);
    if (entry === undefined) return;
    this.#newest.delete(position);
    this.#newestBytes -= memoryOf(entry);
    this.#buffers.release(entry.data);
  }

  /**
   * The bytes before a position, as many as a check needs, none from before `floor`; undefined when some are
   * gone.
   */
  async bytesBefore(channel: ReadChannel, position: number, floor: number): Promise<Buffer | undefined> {
    const from = Math.max(floor, position - CHECK_WINDOW_BYTES);
    const parts: Uint8Array[] = [];
    let at = position;
    while (at > from) {
      const place = this.#index.entryAt(channel.number, at - 1);
      const entry = place && (this.remembered(place) ?? (await this.stored(place)));
      const part =
        entry === undefined ? tailBefore(channel.tails, at) : entry.data.subarray(0, at - entry.start);
      if (part === undefined) return undefined;
      // A copy: the next entry may have to be read, and the memory of this one may then be reused.
      parts.unshift(Buffer.from(part.subarray(Math.max(0, part.length - (at - from)))));
      at -= part.length;
    }
    return Buffer.concat(parts);
  }
}

export interface JournalReaderOptions {
  readonly index: JournalIndex;
  readonly log: SegmentLog;
  readonly events: JournalEvents;
  /** For the bytes of entries. */
  readonly buffers: BufferPool;
}

/** The publisher seldom has a larger backlog: entries that are not remembered are read from the disk. */
const NEWEST_BYTES = 4 * 1024 * 1024;

const ENTRY_OVERHEAD_BYTES = 512;
const RECORD_COLUMNS_BYTES = 16;

/** An upper limit, with the unused end of the buffer. */
function memoryOf({ data, sizes }: RecordBatch): number {
  return ENTRY_OVERHEAD_BYTES + data.buffer.byteLength + RECORD_COLUMNS_BYTES * sizes.length;
}

/** A number for each place of the log: a segment has less than 1 GiB. */
function logPosition({ segment, offset }: SegmentLocation): number {
  return segment * 2 ** 30 + offset;
}

/** The last bytes before a position whose entries are removed. */
export interface KnownTail {
  readonly end: number;
  readonly bytes: Uint8Array;
}

/** The parts of a channel that a reader needs. */
export interface ReadChannel {
  readonly number: number;
  /** Two entries during a removal, otherwise one. */
  readonly tails: readonly KnownTail[];
}

function tailBefore(tails: readonly KnownTail[], position: number): Uint8Array | undefined {
  for (const { end, bytes } of tails) {
    const length = bytes.length - (end - position);
    if (position <= end && length > 0) return bytes.subarray(0, length);
  }
  return undefined;
}
