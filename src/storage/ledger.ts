import type { Check } from '../records/check.ts';
import type { Position, Range } from '../records/position.ts';
import { lastEnd, type Ranges } from '../records/ranges.ts';
import type { StreamId } from '../records/stream-id.ts';
import type { QueueEvents } from './events.ts';
import type { Ledger, StreamOpening, StreamOwner } from './queue-contract.ts';
import type { QueueTables, StreamRow } from './queue-tables.ts';
import type { RunningTime } from './running-time.ts';
import type { StateStore } from './state-store.ts';

/*
 * For each stream the ranges of positions this aggregator has taken responsibility for.
 *
 * The rows live in the state store and are written by the group commit, in the transaction that makes the bytes part
 * of the queue. Here is what is known in memory, all of it bounded, because a peer decides how many streams there are:
 *
 *   rows    read or written lately, as committed; the heaviest part of a row are its ranges, so those are counted
 *   claims  streams that were opened and have no row yet: opening alone writes nothing. When there are too many, the
 *           oldest claims are forgotten; such a stream belongs to whoever opens it next
 *   touched streams that were opened and silent: their day is written now and then, not at once
 */
const MAX_CACHED_RANGES = 65_536;
const MAX_CLAIMS = 131_072;
const MAX_TOUCHED = 65_536;

export interface LedgerParts {
  readonly store: StateStore;
  readonly tables: QueueTables;
  readonly runningTime: RunningTime;
  readonly events: QueueEvents;
}

export class StreamLedger implements Ledger {
  readonly #parts: LedgerParts;
  /** Used last comes last. */
  readonly #rows = new Map<StreamId, StreamRow>();
  #cachedRanges = 0;
  readonly #claims = new Map<StreamId, StreamOwner>();
  readonly #touched = new Set<StreamId>();

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  open(stream: StreamId, owner: StreamOwner): StreamOpening {
    const row = this.row(stream);
    const holder = row === undefined || row.owner === null ? this.#claims.get(stream) : ownerOf(row.owner);
    if (holder !== undefined && !sameOwner(holder, owner)) {
      return { kind: 'foreign', reason: 'the stream belongs to another collector' };
    }
    if (holder === undefined) this.#claim(stream, owner);
    if (row === undefined) return { kind: 'known', end: 0, check: undefined };
    if (row.seenDay < this.#parts.runningTime.day && this.#touched.size < MAX_TOUCHED) {
      this.#touched.add(stream);
    }
    return { kind: 'known', end: lastEnd(rangesOf(row)), check: row.endCheck ?? undefined };
  }

  finish(stream: StreamId, end: Position): void {
    if (this.row(stream) === undefined) {
      this.#claims.delete(stream);
      return;
    }
    const final = { end, day: this.#parts.runningTime.day };
    this.#change([stream], (row) => (row.final?.end === end ? row : { ...row, final })).catch((error) =>
      this.#parts.events.backgroundWriteFailed(error, 'the end of a stream'),
    );
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

  /** Who claimed a stream that has no row yet, or an ownerless one. */
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

  /** Drops a row from memory. */
  forget(stream: StreamId): void {
    const row = this.#rows.get(stream);
    if (row === undefined) return;
    this.#rows.delete(stream);
    this.#cachedRanges -= row.ranges.length;
  }

  /** Writes the days of streams that were opened and had nothing to say. */
  async writeTouched(): Promise<void> {
    const streams = [...this.#touched].slice(0, 1000);
    const { day } = this.#parts.runningTime;
    await this.#change(streams, (row) => ({ ...row, seenDay: Math.max(row.seenDay, day) }));
    for (const stream of streams) this.#touched.delete(stream);
  }

  async #change(streams: readonly StreamId[], change: (row: StreamRow) => StreamRow): Promise<void> {
    if (streams.length === 0) return;
    const { store, tables } = this.#parts;
    const changed = new Map<StreamId, StreamRow>();
    await store.write(() => {
      for (const stream of streams) {
        const row = tables.streams.get(stream);
        if (row === undefined) continue;
        changed.set(stream, change(row));
        tables.streams.put(stream, change(row));
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

function ownerOf({ collectorId, tlsSubject }: NonNullable<StreamRow['owner']>): StreamOwner {
  return { collectorId, tlsSubject: tlsSubject ?? undefined };
}

/** A stream that was opened without TLS has no subject to compare. */
function sameOwner(holder: StreamOwner, owner: StreamOwner): boolean {
  return (
    holder.collectorId === owner.collectorId &&
    (holder.tlsSubject === undefined || holder.tlsSubject === owner.tlsSubject)
  );
}

/** What the group commit makes of a row. */
export interface StreamProgress {
  readonly ranges: Ranges;
  readonly endCheck: Check | null;
  readonly records: number;
  readonly bytes: number;
}
