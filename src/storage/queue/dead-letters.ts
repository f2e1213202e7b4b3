import assert from 'node:assert/strict';
import type { Amount } from '../../records/amount.ts';
import { minus, NOTHING, plus, sumOf } from '../../records/amount.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { decodeRecordBatch } from '../../records/wire.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Cursors } from './cursors.ts';
import { type DeadLetterKey, inChunks, keyOf, keysOf, parseId } from './dead-letter-key.ts';
import { DeadLetterSegments } from './dead-letter-segments.ts';
import type { QueueEvents } from './events.ts';
import {
  type DeadLetterId,
  type DeadLetterSummary,
  type DeadLetters,
  type NewDeadLetter,
  QueueError,
} from './queue-contract.ts';
import type { DeadLetterRow, QueueTables } from './queue-tables.ts';

export interface DeadLetterParts {
  readonly store: StateStore;
  readonly tables: QueueTables;
  readonly log: SegmentLog;
  readonly cursors: Cursors;
  readonly clock: Clock;
  readonly events: QueueEvents;
  readonly maxBytes: number;
}

/** Dead letters that a cursor's commit adds, and those that it removes. */
export interface StagedDeadLetters {
  /** Only inside the change. */
  put(): void;
  /** Only inside a transaction: dead letters of this emitter that are removed. */
  remove(ids: readonly DeadLetterId[]): void;
  committed(): void;
  abandon(): void;
}

interface Change {
  readonly emitter: string;
  readonly row: DeadLetterRow;
}

const MAX_REASON_CHARACTERS = 2000;

/**
 * Rejected pieces of batches, stored with their reason until they are delivered or discarded.
 *
 *     bytes: a separate segment log (append, fdatasync)     row: in the transaction that moves the cursor past them
 *
 * A row is keyed by emitter, stream and position; the id contains the same in one string. The limit applies to the space
 * on disk. Delivery checks `full` before it commits; a commit is never rejected because of the limit.
 */
export class StoredDeadLetters implements DeadLetters {
  readonly #parts: DeadLetterParts;
  readonly #segments: DeadLetterSegments;
  readonly #amounts = new Map<string, Amount>();
  readonly #listeners = new Set<() => void>();

  /** Reads the rows, and removes segments that no row refers to. */
  static async open(parts: DeadLetterParts): Promise<StoredDeadLetters> {
    const letters = new StoredDeadLetters(parts);
    await letters.#segments.recover(letters.#countedRows());
    return letters;
  }

  private constructor(parts: DeadLetterParts) {
    this.#parts = parts;
    this.#segments = new DeadLetterSegments(parts.log, parts.events);
  }

  get bytes(): number {
    return this.#parts.log.bytes;
  }

  amount(emitter: string): Amount {
    return this.#amounts.get(emitter) ?? NOTHING;
  }

  list(emitter?: string): DeadLetterSummary[] {
    return [...this.#summaries(emitter)];
  }

  replaying(emitter: string): DeadLetterSummary[] {
    return [...this.#summaries(emitter)].filter(({ replaying }) => replaying);
  }

  async read(id: DeadLetterId): Promise<RecordBatch | undefined> {
    const key = parseId(id);
    const row = key && this.#parts.tables.deadLetters.get(key);
    if (row === undefined) return undefined;
    try {
      return decodeRecordBatch(await this.#parts.log.read(row));
    } catch (error) {
      throw new QueueError(`Cannot read the dead letter ${id}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async requestReplay(ids: readonly DeadLetterId[]): Promise<number> {
    const { store, tables } = this.#parts;
    let found = 0;
    for (const keys of inChunks(ids)) {
      let foundHere = 0;
      await store
        .write(() => {
          foundHere = 0;
          for (const key of keys) {
            const row = tables.deadLetters.get(key);
            if (row === undefined) continue;
            foundHere++;
            tables.deadLetters.put(key, { ...row, replaying: true });
          }
        })
        .catch(rethrow('Cannot request the replay'));
      found += foundHere;
    }
    if (found > 0) for (const listener of [...this.#listeners]) listener();
    return found;
  }

  async discard(ids: readonly DeadLetterId[]): Promise<number> {
    const { cursors, events } = this.#parts;
    let found = 0;
    for (const keys of inChunks(ids)) {
      const removed: Change[] = [];
      const emitters = [...new Set(keys.map(([emitter]) => emitter))];
      const discardedOf = (emitter: string) =>
        sumOf(removed.filter((change) => change.emitter === emitter).map(({ row }) => row));
      await cursors
        .change(
          emitters,
          (row, emitter) => {
            removed.push(...this.#removeRows(keys.filter(([owner]) => owner === emitter)));
            return { ...row, discarded: { ...plus(row.discarded, discardedOf(emitter)) } };
          },
          // Dead letters whose emitter no longer has a cursor.
          () => void removed.push(...this.#removeRows(keys)),
        )
        .catch(rethrow('Cannot discard the dead letters'));
      for (const change of removed) this.#count(change, -1);
      for (const emitter of emitters) events.discarded({ emitter, ...discardedOf(emitter) });
      found += removed.length;
    }
    return found;
  }

  onReplayRequested(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  full(bytes: number): boolean {
    return this.bytes + bytes > this.#parts.maxBytes;
  }

  /** Flushes the bytes of new letters; their rows follow in the cursor's transaction. */
  async stage(emitter: string, letters: readonly NewDeadLetter[]): Promise<StagedDeadLetters> {
    const rows = letters.length === 0 ? [] : await this.#writeBytes(letters);
    const { tables } = this.#parts;
    const release = () => {
      for (const { row } of rows) this.#segments.refer(row.segment, -1);
    };
    let removed: Change[] = [];
    return {
      put: () => {
        removed = [];
        for (const { letter, row } of rows) {
          const key: DeadLetterKey = [emitter, letter.records.stream, letter.records.start];
          removed.push(...this.#removeRows([key]));
          tables.deadLetters.put(key, row);
        }
      },
      remove: (ids) =>
        void removed.push(...this.#removeRows(keysOf(ids).filter(([owner]) => owner === emitter))),
      committed: () => {
        for (const { row } of rows) this.#count({ emitter, row }, 1);
        for (const change of removed) this.#count(change, -1);
        release();
      },
      abandon: release,
    };
  }

  /** Removes the dead letters of an emitter that is being forgotten, without counting them. */
  async removeAll(emitter: string): Promise<void> {
    const { store } = this.#parts;
    const ids = this.list(emitter).map(({ id }) => id);
    for (const keys of inChunks(ids)) {
      let removed: Change[] = [];
      await store.write(() => {
        removed = this.#removeRows(keys);
      });
      for (const change of removed) this.#count(change, -1);
    }
  }

  /** Waits for segments that are being removed. */
  async close(): Promise<void> {
    await this.#segments.close();
  }

  /** Counts the stored rows while they are read. */
  *#countedRows(): Iterable<DeadLetterRow> {
    for (const { key, value: row } of this.#parts.tables.deadLetters.entries()) {
      this.#count({ emitter: keyOf(key)[0], row }, 1);
      yield row;
    }
  }

  *#summaries(emitter: string | undefined): Iterable<DeadLetterSummary> {
    const selection = emitter === undefined ? {} : { prefix: emitter };
    for (const { key, value } of this.#parts.tables.deadLetters.entries(selection)) {
      const [owner, stream, position] = keyOf(key);
      yield {
        id: `${owner}/${stream}/${position}`,
        emitter: owner,
        stream,
        position,
        records: value.records,
        bytes: value.bytes,
        reason: value.reason,
        rejectedTimeUnixNano: BigInt(value.rejectedTimeUnixNano),
        replaying: value.replaying,
      };
    }
  }

  async #writeBytes(letters: readonly NewDeadLetter[]) {
    const rejectedTimeUnixNano = String(this.#parts.clock.nowUnixNano());
    const locations = await this.#segments
      .append(letters.map(({ records }) => records))
      .catch(rethrow('Cannot store the dead letters'));
    return letters.map((letter, i) => {
      const location = locations[i];
      assert(location !== undefined);
      const { sizes, data } = letter.records;
      const row: DeadLetterRow = {
        ...location,
        records: sizes.length,
        bytes: data.length,
        reason: letter.reason.slice(0, MAX_REASON_CHARACTERS),
        rejectedTimeUnixNano,
        replaying: false,
      };
      return { letter, row };
    });
  }

  /** Only inside a transaction. Returns the previous value. */
  #removeRows(keys: readonly DeadLetterKey[]): Change[] {
    const { deadLetters } = this.#parts.tables;
    const removed: Change[] = [];
    for (const key of keys) {
      const row = deadLetters.get(key);
      if (row === undefined) continue;
      deadLetters.remove(key);
      removed.push({ emitter: key[0], row });
    }
    return removed;
  }

  #count({ emitter, row }: Change, sign: 1 | -1): void {
    const amount = this.amount(emitter);
    this.#amounts.set(emitter, sign === 1 ? plus(amount, row) : minus(amount, row));
    this.#segments.refer(row.segment, sign);
  }
}

function rethrow(what: string): (error: Error) => never {
  return (error) => {
    throw new QueueError(`${what}: ${error.message}`, { cause: error });
  };
}
