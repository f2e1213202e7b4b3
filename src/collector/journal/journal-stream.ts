import assert from 'node:assert/strict';
import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../records/check.ts';
import type { Position } from '../../records/position.ts';
import {
  compareChecksums,
  emptyChecksum,
  extendChecksum,
  type RunningChecksum,
} from '../../records/running-checksum.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type {
  BatchChecksums,
  KnownToAggregator,
  ResumeDecision,
  SourceStream,
  StreamRead,
} from '../source.ts';
import { GatheredBatch } from './gathered-batch.ts';
import type { JournalChannel } from './journal-channel.ts';
import type { IndexedEntry } from './journal-index.ts';
import type { JournalReader } from './journal-reader.ts';

/** A channel as the publisher sees it. Positions are relative to the beginning of the stream. */
export class JournalStream implements SourceStream {
  readonly id: StreamId;
  readonly #channel: JournalChannel;
  readonly #offset: number;
  readonly #host: JournalStreamHost;

  constructor(channel: JournalChannel, host: JournalStreamHost) {
    this.id = channel.stream;
    this.#offset = channel.offset;
    this.#channel = channel;
    this.#host = host;
  }

  get accepted(): Position {
    return this.#channel.accepted - this.#offset;
  }

  async resume({ end, check, checksum, contiguousEnd }: KnownToAggregator): Promise<ResumeDecision> {
    const known = end + this.#offset;
    const { accepted, indexedEnd } = this.#channel;
    const other = known > indexedEnd || (await this.#differs(known, check, checksum));
    if (other) {
      await this.#host.rolledBack(this.#channel);
      return { kind: 'ended' };
    }
    const from = Math.min(Math.max(accepted, contiguousEnd + this.#offset), indexedEnd);
    this.accept(from - this.#offset);
    return { kind: 'continue', from: from - this.#offset };
  }

  async read(from: Position, buffer: Buffer, hasPeerColumn = true): Promise<StreamRead> {
    const { reader } = this.#host;
    const gathered = new GatheredBatch(buffer, hasPeerColumn);
    for (let at = from + this.#offset, more = true; more; ) {
      const places = fittingEntries(reader.places(this.#channel.number, at, PLACES), buffer.length);
      // In parallel: entries are small, and sequential reads would each cost one turn of the event loop.
      const stored = places.map((place) =>
        reader.remembered(place) === undefined ? reader.stored(place) : undefined,
      );
      more = places.length > 0;
      for (const [index, place] of places.entries()) {
        // No longer remembered: this loop has waited for an earlier entry.
        const entry = reader.remembered(place) ?? (await (stored[index] ?? reader.stored(place)));
        // A damaged entry is skipped: the stream has a gap there.
        if (entry === undefined) more = gathered.isEmpty;
        else {
          more = gathered.add(entry, Math.max(at, place.start));
          assert(more || !gathered.isEmpty, 'the buffer cannot hold a record');
          if (more) reader.release(place, entry);
          else reader.keep(place, entry);
        }
        if (!more) break;
        at = place.end;
      }
    }
    if (gathered.isEmpty) return this.#nothing(from + this.#offset);
    return {
      kind: 'records',
      batch: gathered.done(this.id, this.#offset),
      endCheck: await this.#checkAt(gathered.end, gathered.data),
      checksums: await this.#checksumsOf(gathered),
    };
  }

  accept(end: Position): void {
    const accepted = Math.min(end + this.#offset, this.#channel.indexedEnd);
    if (accepted <= this.#channel.accepted || this.#channel.stream !== this.id) return;
    this.#channel.accepted = accepted;
    this.#channel.checksums.accepted(accepted);
    this.#host.accepted(this.#channel);
  }

  /** The next call tries again; the journal keeps the records. */
  refuse(): void {}

  #nothing(position: Position): StreamRead {
    const { closed, appendedEnd, stream } = this.#channel;
    const over = closed && position >= appendedEnd && stream === this.id;
    return { kind: over ? 'ended' : 'waiting' };
  }

  /** Whether the bytes before a position differ; false when they are no longer available. */
  async #differs(
    position: Position,
    check: Check | undefined,
    checksum: RunningChecksum | undefined,
  ): Promise<boolean> {
    const own = checksum && (await this.#checksumAt(position));
    const compared = own && checksum && compareChecksums(own, checksum);
    if (compared === 'same' || compared === 'other') return compared === 'other';
    if (check === undefined) return false;
    const before = await this.#bytesBefore(position);
    return before !== undefined && checkOf(before) !== check;
  }

  async #checkAt(end: Position, data: Buffer): Promise<Check> {
    if (data.length >= CHECK_WINDOW_BYTES) return checkOf(data);
    const before = await this.#bytesBefore(end - data.length);
    return checkOf(Buffer.concat([before ?? Buffer.alloc(0), data]));
  }

  /** undefined when bytes of the stream are lost or removed. */
  async #checksumAt(position: Position): Promise<RunningChecksum | undefined> {
    const { checksums, number } = this.#channel;
    const known = checksums.at(position);
    if (known !== undefined || position < checksums.base.at) return known;
    return this.#host.reader.checksumAt(number, checksums.base, position);
  }

  /** After a gap the checksum starts again: the bytes before it are not available. */
  async #checksumsOf({ start, end, data }: GatheredBatch): Promise<BatchChecksums> {
    const before = (await this.#checksumAt(start)) ?? emptyChecksum(start - this.#offset);
    const after = extendChecksum(before, data);
    // A stream that ended in the meantime no longer owns its channel.
    if (this.#channel.stream === this.id) this.#channel.checksums.note({ at: end, value: after });
    return { start: before, end: after };
  }

  #bytesBefore(position: Position): Promise<Buffer | undefined> {
    return this.#host.reader.bytesBefore(this.#channel, position, this.#offset);
  }
}

/** Entries looked up at once. */
const PLACES = 32;

export interface JournalStreamHost {
  readonly reader: JournalReader;
  /** `channel.accepted` has moved. */
  accepted(channel: JournalChannel): void;
  /** The aggregator has other bytes: unaccepted records must continue in a new stream. */
  rolledBack(channel: JournalChannel): Promise<void>;
}

/** Returns the entries that fit into the buffer; at least the first. */
function fittingEntries(places: readonly IndexedEntry[], bytes: number): readonly IndexedEntry[] {
  let sum = 0;
  const tooMany = places.findIndex(({ location }, index) => {
    sum += location.length;
    return index > 0 && sum > bytes;
  });
  return tooMany === -1 ? places : places.slice(0, tooMany);
}
