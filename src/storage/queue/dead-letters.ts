import assert from 'node:assert/strict';
import type { Amount } from '../../records/amount.ts';
import { minus, NOTHING, plus, sumOf } from '../../records/amount.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { parseStreamId, type StreamId } from '../../records/stream-id.ts';
import { decodeRecordBatch, encodeRecordBatchHead } from '../../records/wire.ts';
import { SerialQueue } from '../../runtime/async/serial-queue.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SegmentLog } from '../segments/segment-log.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Cursors } from './cursors.ts';
import type { QueueEvents } from './events.ts';
import {
  type DeadLetterId,
  type DeadLetterSummary,
  type DeadLetters,
  type NewDeadLetter,
  QueueError,
} from './queue-contract.ts';
import type { DeadLetterRow, QueueTables } from './queue-tables.ts';

/**
 * /* Rejected pieces of batches, kept with their reason until they are delivered after all or given up.
 *
 *     bytes: a segment log of their own (append, fdatasync)     row: in the transaction that moves the cursor past them
 *
 * A row is keyed by emitter, stream and position; the id says the same in one string. A segment is removed
 * when no row and no commit on its way refers to it; segments are small (8 MiB), so that a few letters do not
 * hold much space. What counts against the limit is the space on disk. `full` is asked by delivery before it
 * commits; a commit is never refused for it.
 */
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

type Key = readonly [emitter: string, stream: StreamId, position: number];

interface Change {
  readonly emitter: string;
  readonly row: DeadLetterRow;
}

/** Rows per transaction of a bulk command. */
const ROWS_PER_WRITE = 1000;
const MAX_REASON_CHARACTERS = 2000;

export class StoredDeadLetters implements DeadLetters {
  readonly #parts: DeadLetterParts;
  readonly #turns = new SerialQueue();
  readonly #amounts = new Map<string, Amount>();
  /** Rows and pending commits, by segment. */
  readonly #references = new Map<number, number>();
  readonly #listeners = new Set<() => void>();

  /** Reads the rows, and removes segments that no row refers to. */
  static async open(parts: DeadLetterParts): Promise<StoredDeadLetters> {
    const letters = new StoredDeadLetters(parts);
    let last: DeadLetterRow | undefined;
    for (const { key, value } of parts.tables.deadLetters.entries()) {
      letters.#count({ emitter: keyOf(key)[0], row: value }, 1);
      if (last === undefined || isBehind(value, last)) last = value;
    }
    await parts.log.truncateTo(last);
    for (const segment of parts.log.segments) await letters.#removeIfUnused(segment);
    return letters;
  }

  private constructor(parts: DeadLetterParts) {
    this.#parts = parts;
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
      for (const emitter of emitters) events.discarded(emitter, discardedOf(emitter));
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
    const letGo = () => {
      for (const { row } of rows) this.#refer(row.segment, -1);
    };
    let removed: Change[] = [];
    return {
      put: () => {
        removed = [];
        for (const { letter, row } of rows) {
          const key: Key = [emitter, letter.records.stream, letter.records.start];
          removed.push(...this.#removeRows([key]));
          tables.deadLetters.put(key, row);
        }
      },
      remove: (ids) =>
        void removed.push(...this.#removeRows(keysOf(ids).filter(([owner]) => owner === emitter))),
      committed: () => {
        for (const { row } of rows) this.#count({ emitter, row }, 1);
        for (const change of removed) this.#count(change, -1);
        letGo();
      },
      abandon: letGo,
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
    await this.#turns.run(() => this.#parts.log.close());
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
    const { log, clock } = this.#parts;
    const rejectedTimeUnixNano = String(clock.nowUnixNano());
    const payloads = letters.map(({ records }) => [
      encodeRecordBatchHead(records, { compression: 'none', bytes: records.data }),
      records.data,
    ]);
    const locations = await this.#turns
      .run(async () => {
        const appended = await log.append(payloads);
        await log.flush();
        // Holds the segments until the commit has succeeded or failed.
        for (const { segment } of appended) this.#refer(segment, 1);
        return appended;
      })
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
  #removeRows(keys: readonly Key[]): Change[] {
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
    this.#refer(row.segment, sign);
  }

  #refer(segment: number, sign: 1 | -1): void {
    const references = (this.#references.get(segment) ?? 0) + sign;
    if (references > 0) {
      this.#references.set(segment, references);
      return;
    }
    this.#references.delete(segment);
    void this.#removeIfUnused(segment);
  }

  /** Runs between two appends, because new entries have no reference yet. */
  #removeIfUnused(segment: number): Promise<void> {
    const { log, events } = this.#parts;
    return this.#turns
      .run(async () => {
        if (this.#references.has(segment)) return;
        if (segment === log.writingSegment) await log.seal();
        await log.remove(segment);
      })
      .catch((error) => events.backgroundWriteFailed(error, 'the removal of a segment'));
  }
}

function keysOf(ids: readonly DeadLetterId[]): Key[] {
  return ids.map(parseId).filter((key) => key !== undefined);
}

/** `<emitter>/<stream>/<position>`; only the emitter may contain a slash. */
function parseId(id: DeadLetterId): Key | undefined {
  const [, emitter, streamText, position] = /^(.*)\/([0-9a-f]{32})\/(\d{1,16})$/s.exec(id) ?? [];
  const stream = parseStreamId(streamText ?? '');
  return emitter === undefined || stream === undefined ? undefined : [emitter, stream, Number(position)];
}

function keyOf(key: unknown): Key {
  return key as Key;
}

function isBehind(a: DeadLetterRow, b: DeadLetterRow): boolean {
  return a.segment > b.segment || (a.segment === b.segment && a.offset > b.offset);
}

function* inChunks(ids: readonly DeadLetterId[]): Iterable<Key[]> {
  const keys = keysOf([...new Set(ids)]);
  for (let i = 0; i < keys.length; i += ROWS_PER_WRITE) yield keys.slice(i, i + ROWS_PER_WRITE);
}

function rethrow(what: string): (error: Error) => never {
  return (error) => {
    throw new QueueError(`${what}: ${error.message}`, { cause: error });
  };
}
