import type { RunningChecksum } from '../../records/running-checksum.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { SegmentLocation } from '../../storage/segments/segment-format.ts';
import type { StateStore, Table } from '../../storage/state/state-store.ts';
import type { Loss } from './loss.ts';

/**
 * The part of a journal in the state store: channels, locations of their bytes, and the end of the segments.
 */
export class JournalIndex {
  readonly #channels: Table<ChannelRow>;
  readonly #entries: Table<EntryRow>;
  readonly #ends: Table<LocationRow>;

  constructor(store: StateStore, name: string) {
    this.#channels = store.table(`journal ${name} channels`);
    this.#entries = store.table(`journal ${name} entries`);
    this.#ends = store.table(`journal ${name} ends`);
  }

  channels(): { readonly number: number; readonly row: ChannelRow }[] {
    return Array.from(this.#channels.entries(), ({ key, value }) => ({ number: Number(key), row: value }));
  }

  *entries(): Iterable<IndexedEntry> {
    for (const { key, value } of this.#entries.entries()) yield placeOf(key as readonly number[], value);
  }

  /** The entry that holds the byte at `position`. */
  entryAt(channel: number, position: number): IndexedEntry | undefined {
    const found = this.#entries.entries({
      start: [channel, 0],
      end: [channel, position + 1],
      reverse: true,
      limit: 1,
    });
    for (const { key, value } of found) {
      const place = placeOf(key as readonly number[], value);
      if (place.end > position) return place;
    }
    return undefined;
  }

  /** Entries that begin at or after `start`, ascending. */
  entriesFrom(channel: number, start: number, limit: number): IndexedEntry[] {
    const selection = { start: [channel, start], end: [channel + 1], limit };
    return Array.from(this.#entries.entries(selection), ({ key, value }) =>
      placeOf(key as readonly number[], value),
    );
  }

  /** Entries that end at or before `end`, ascending. */
  entriesUntil(channel: number, end: number, limit: number): IndexedEntry[] {
    const places: IndexedEntry[] = [];
    for (const { key, value } of this.#entries.entries({ prefix: channel, limit })) {
      const place = placeOf(key as readonly number[], value);
      if (place.end > end) break;
      places.push(place);
    }
    return places;
  }

  /** The last entry of a channel. */
  lastEntry(channel: number): IndexedEntry | undefined {
    for (const { key, value } of this.#entries.entries({ prefix: channel, reverse: true, limit: 1 }))
      return placeOf(key as readonly number[], value);
    return undefined;
  }

  /** The last committed entry of any channel. */
  get last(): SegmentLocation | undefined {
    const row = this.#ends.get(LAST);
    if (row === undefined) return undefined;
    const [segment = 0, offset = 0, length = 0] = row;
    return { segment, offset, length };
  }

  /** The id of that entry (`EntryLink`); 0 when version 0.1.0 has written it, or there is none. */
  get lastId(): number {
    return this.#ends.get(LAST)?.[3] ?? 0;
  }

  /** Must be called inside a transaction, like all methods below. */
  putChannel(number: number, row: ChannelRow): void {
    this.#channels.put(number, row);
  }

  removeChannel(number: number): void {
    this.#channels.remove(number);
  }

  putEntry({ channel, start, end, location }: IndexedEntry): void {
    this.#entries.put([channel, start], [end, location.segment, location.offset, location.length]);
  }

  removeEntry({ channel, start }: IndexedEntry): void {
    this.#entries.remove([channel, start]);
  }

  putLast({ segment, offset, length }: SegmentLocation, id: number): void {
    this.#ends.put(LAST, [segment, offset, length, id]);
  }
}

/** A channel in its stored form. */
export type ChannelRow = {
  readonly origin: string;
  readonly stream: StreamId;
  /** Journal position of the stream's position 0. */
  readonly offset: number;
  readonly accepted: number;
  /** The bytes before `accepted`, for its check: their segments may be removed. Base64. */
  readonly tail: string;
  /** The checksum of the stream's bytes before the journal position `at`. Rows of version 0.1.0 have none. */
  readonly checksum?: RunningChecksum & { readonly at: number };
  readonly closed: boolean;
  /** Not reported yet. */
  readonly loss: (Loss & { readonly [key: string]: number }) | null;
  readonly lossLabel: LabelRow | null;
};

export type LabelRow = { readonly format: string; readonly resource: readonly (readonly [string, string])[] };

/** Location of the bytes `[start, end)` of a channel. */
export interface IndexedEntry {
  readonly channel: number;
  readonly start: number;
  readonly end: number;
  readonly location: SegmentLocation;
}

/** `[end, segment, offset, length]` */
type EntryRow = readonly [number, number, number, number];
/** `[segment, offset, length, id]`. Version 0.1.0 writes no id, and ignores it. */
type LocationRow = readonly number[];

const LAST = 'last';

function placeOf(key: readonly number[], [end, segment, offset, length]: EntryRow): IndexedEntry {
  const [channel = 0, start = 0] = key;
  return { channel, start, end, location: { segment, offset, length } };
}
