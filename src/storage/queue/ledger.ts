import type { Check } from '../../records/check.ts';
import type { Position, Range } from '../../records/position.ts';
import { lastEnd, type Ranges } from '../../records/ranges.ts';
import type { RunningChecksum } from '../../records/running-checksum.ts';
import type { StreamId } from '../../records/stream-id.ts';
import type { StateStore } from '../state/state-store.ts';
import type { QueueEvents } from './events.ts';
import type { Ledger, StreamOpening, StreamOwner } from './queue-contract.ts';
import type { QueueTables, StreamRow } from './queue-tables.ts';
import type { RunningTime } from './running-time.ts';
import type { StreamCounts } from './stream-counts.ts';

/*
 * For each stream the ranges of positions that this aggregator has accepted.
 *
 * The rows live in the state store and are written by the group commit, in the transaction that makes the bytes part
 * of the queue. The data in memory is limited, because a peer decides how many streams there are:
 *
 *   rows    read or written lately, as committed; the heaviest part of a row are its ranges, so those are counted
 *   claims  streams that were opened and have no row yet: opening alone writes nothing. When there are too many, the
 *           oldest claims are removed; such a stream belongs to the next collector that opens it
 *   finals  reported ends that are not written yet
 *   touched streams that were opened and silent: their day is written at intervals, not at once
 */
const MAX_CACHED_RANGES = 65_536;
const MAX_CLAIMS = 131_072;
const MAX_TOUCHED = 65_536;
const MAX_FINALS = 65_536;
const ROWS_AT_ONCE = 1000;

export const FOREIGN_STREAM = 'the stream belongs to another collector';

export interface LedgerParts {
  readonly store: StateStore;
  readonly tables: QueueTables;
  readonly runningTime: RunningTime;
  readonly streamCounts: StreamCounts;
  readonly events: QueueEvents;
}

export class StreamLedger implements Ledger {
  readonly #parts: LedgerParts;
  /** Least recently used first. */
  readonly #rows = new Map<StreamId, StreamRow>();
  #cachedRanges = 0;
  readonly #claims = new Map<StreamId, StreamOwner>();
  readonly #touched = new Set<StreamId>();
  readonly #finals = new Map<StreamId, NonNullable<StreamRow['final']>>();
  #writingFinals: Promise<void> | undefined;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  open(stream: StreamId, owner: StreamOwner): StreamOpening {
    const row = this.row(stream);
    const holder = this.#holderOf(stream, row);
    if (holder !== undefined && !sameOwner(holder, owner)) return { kind: 'refused', reason: FOREIGN_STREAM };
    if (row === undefined && !this.#parts.streamCounts.hasRoom(owner.collectorId)) {
      return { kind: 'refused', reason: this.#parts.streamCounts.refusal };
    }
    if (holder === undefined) this.#claim(stream, owner);
    if (row === undefined) return { kind: 'known', end: 0, check: undefined };
    if (row.seenDay < this.#parts.runningTime.day && this.#touched.size < MAX_TOUCHED) {
      this.#touched.add(stream);
    }
    return {
      kind: 'known',
      end: lastEnd(rangesOf(row)),
      check: row.endCheck ?? undefined,
      checksum: row.checksum ?? undefined,
      instance: typeof row.instance === 'string' ? BigInt(row.instance) : undefined,
    };
  }

  finish(stream: StreamId, end: Position, owner: StreamOwner): boolean {
    const row = this.row(stream);
    const holder = this.#holderOf(stream, row);
    if (holder !== undefined && !sameOwner(holder, owner)) return false;
    if (row === undefined) this.#claims.delete(stream);
    // Above the limit the reported end is discarded: then only silence ends the stream.
    else if (row.final?.end !== end && this.#finals.size < MAX_FINALS) {
      this.#finals.set(stream, { end, day: this.#parts.runningTime.day });
      this.#writingFinals ??= this.#writeFinals();
    }
    return true;
  }

  #holderOf(stream: StreamId, row: StreamRow | undefined): StreamOwner | undefined {
    return row === undefined || row.owner === null ? this.#claims.get(stream) : ownerOf(row.owner);
  }

  /** One transaction at a time, with all changes that arrived during the previous one. */
  async #writeFinals(): Promise<void> {
    while (this.#finals.size > 0) {
      const finals = new Map([...this.#finals].slice(0, ROWS_AT_ONCE));
      for (const stream of finals.keys()) this.#finals.delete(stream);
      await this.#change([...finals.keys()], (row, stream) => ({
        ...row,
        final: finals.get(stream) ?? row.final,
      })).catch((err: unknown) =>
        this.#parts.events.backgroundWriteFailed({ err, what: 'the end of a stream' }),
      );
    }
    this.#writingFinals = undefined;
  }

  /** Resolves when all reported ends are written. */
  async settled(): Promise<void> {
    await this.#writingFinals;
  }

  ranges(stream: StreamId): readonly Range[] {
    const row = this.row(stream);
    return row === undefined ? [] : rangesOf(row);
  }

  /** As committed. */
  row(stream: StreamId): StreamRow | undefined {
    const row = this.#rows.get(stream) ?? this.#parts.tables.streams.get(stream);
    if (row !== undefined) this.remember(stream, row);
    return row;
  }

  /** The collector that claimed a stream without a row, or without an owner. */
  claimOf(stream: StreamId): StreamOwner | undefined {
    return this.#claims.get(stream);
  }

  /** A row was committed. */
  remember(stream: StreamId, row: StreamRow): void {
    this.forget(stream);
    this.#rows.set(stream, row);
    this.#cachedRanges += row.ranges.length;
    if (row.owner !== null) this.#claims.delete(stream);
    for (const [oldest] of this.#rows) {
      if (this.#cachedRanges <= MAX_CACHED_RANGES) break;
      this.forget(oldest);
    }
  }

  /** Removes a row from memory. */
  forget(stream: StreamId): void {
    const row = this.#rows.get(stream);
    if (row === undefined) return;
    this.#rows.delete(stream);
    this.#cachedRanges -= row.ranges.length;
  }

  /** Writes the days of streams that were opened without new data. */
  async writeTouched(): Promise<void> {
    const streams = [...this.#touched].slice(0, ROWS_AT_ONCE);
    const { day } = this.#parts.runningTime;
    await this.#change(streams, (row) => ({ ...row, seenDay: Math.max(row.seenDay, day) }));
    for (const stream of streams) this.#touched.delete(stream);
  }

  async #change(
    streams: readonly StreamId[],
    change: (row: StreamRow, stream: StreamId) => StreamRow,
  ): Promise<void> {
    if (streams.length === 0) return;
    const { store, tables } = this.#parts;
    const changed = new Map<StreamId, StreamRow>();
    await store.write(() => {
      for (const stream of streams) {
        const row = tables.streams.get(stream);
        if (row === undefined) continue;
        const after = change(row, stream);
        changed.set(stream, after);
        tables.streams.put(stream, after);
      }
    });
    for (const [stream, row] of changed) this.remember(stream, row);
  }

  #claim(stream: StreamId, owner: StreamOwner): void {
    this.#claims.set(stream, owner);
    const [oldest] = this.#claims.keys();
    if (this.#claims.size > MAX_CLAIMS && oldest !== undefined) this.#claims.delete(oldest);
  }
}

export function rangesOf({ ranges }: Pick<StreamRow, 'ranges'>): Ranges {
  const result: Range[] = [];
  for (let i = 0; i + 1 < ranges.length; i += 2) {
    result.push({ start: ranges[i] ?? 0, end: ranges[i + 1] ?? 0 });
  }
  return result;
}

export function flattenRanges(ranges: Ranges): Position[] {
  return ranges.flatMap(({ start, end }) => [start, end]);
}

export function ownerRow({ collectorId, tlsSubject }: StreamOwner): StreamRow['owner'] {
  return { collectorId, tlsSubject: tlsSubject ?? null };
}

export function ownerOf({ collectorId, tlsSubject }: NonNullable<StreamRow['owner']>): StreamOwner {
  return { collectorId, tlsSubject: tlsSubject ?? undefined };
}

/** A stream that was opened without TLS has no subject to compare. */
export function sameOwner(holder: StreamOwner, owner: StreamOwner): boolean {
  return (
    holder.collectorId === owner.collectorId &&
    (holder.tlsSubject === undefined || holder.tlsSubject === owner.tlsSubject)
  );
}

/** The group commit's new values of a row. */
export interface StreamProgress {
  readonly ranges: Ranges;
  readonly endCheck: Check | null;
  readonly checksum: RunningChecksum | null;
  /** undefined: unknown; the row keeps its value. */
  readonly owner: StreamOwner | undefined;
  readonly instance: bigint | undefined;
  readonly records: number;
  readonly bytes: number;
}
