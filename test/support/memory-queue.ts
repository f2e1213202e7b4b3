import { type Amount, minus, sumOf } from '../../src/records/amount.ts';
import type { Json } from '../../src/records/json.ts';
import { endOf, type RecordBatch } from '../../src/records/record-batch.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import {
  type CursorCommit,
  type CursorPoint,
  type DeadLetterId,
  type DeadLetterSummary,
  type DeadLetters,
  type EmitterBalance,
  type QueueCursor,
  type QueueEntry,
  QueueError,
} from '../../src/storage/queue/queue-contract.ts';

/**
 * The queue in memory, with the same contract, for tests of its consumers. It outlives its chains, so a crash
 * is a second chain on the same queue.
 */
export class MemoryQueue {
  readonly #clock: Clock;
  readonly #entries = new Map<number, QueueEntry>();
  readonly #cursors = new Map<string, MemoryCursor>();
  readonly deadLetters: MemoryDeadLetters;
  #lastEntry = 0;
  #waiters = new Set<() => void>();
  /** Answers what makes the next commits or reads fail. */
  commitFault: (() => string | undefined) | undefined;
  readFault: (() => string | undefined) | undefined;

  constructor(clock: Clock, deadLetterBytes = 1 << 30) {
    this.#clock = clock;
    this.deadLetters = new MemoryDeadLetters(clock, deadLetterBytes);
  }

  get lastEntry(): number {
    return this.#lastEntry;
  }

  append(batch: RecordBatch): void {
    this.#lastEntry++;
    const entry = { number: this.#lastEntry, batch, acceptedTimeUnixNano: this.#clock.nowUnixNano() };
    this.#entries.set(entry.number, entry);
    for (const wake of [...this.#waiters]) wake();
  }

  cursor(emitter: string): MemoryCursor {
    const cursor = this.#cursors.get(emitter) ?? new MemoryCursor(this, emitter);
    this.#cursors.set(emitter, cursor);
    return cursor;
  }

  entry(number: number): QueueEntry | undefined {
    return this.#entries.get(number);
  }

  /** Full, with `drop-oldest`: this emitter loses everything before `entry`. */
  dropBefore(emitter: string, entry: number): void {
    const cursor = this.cursor(emitter);
    const lost = this.#amountBetween(cursor.committed, { entry, record: 0 });
    cursor.moveTo({ entry, record: 0 }, lost);
    for (const number of [...this.#entries.keys()]) if (number < entry) this.#entries.delete(number);
  }

  balance(emitter: string): EmitterBalance & { readonly accepted: Amount } {
    const cursor = this.cursor(emitter);
    const accepted = { records: 0, bytes: 0 };
    for (const amount of this.#accepted) add(accepted, amount);
    const queued = this.#amountBetween(cursor.committed, { entry: this.#lastEntry + 1, record: 0 });
    const deadLettered = { records: 0, bytes: 0 };
    for (const letter of this.deadLetters.list(emitter)) add(deadLettered, letter);
    const { discarded, filtered } = cursor;
    const delivered = minus(accepted, sumOf([queued, deadLettered, discarded, filtered]));
    return {
      emitter,
      before: { records: 0, bytes: 0 },
      accepted,
      queued,
      deadLettered,
      discarded,
      filtered,
      delivered,
    };
  }

  get #accepted(): Amount[] {
    return [...this.#entries.values()].map(({ batch }) => ({
      records: batch.sizes.length,
      bytes: batch.data.length,
    }));
  }

  #amountBetween(from: CursorPoint, to: CursorPoint): Amount {
    const amount = { records: 0, bytes: 0 };
    for (const { number, batch } of this.#entries.values()) {
      if (number < from.entry || number >= to.entry) continue;
      const sizes = number === from.entry ? batch.sizes.subarray(from.record) : batch.sizes;
      add(amount, { records: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) });
    }
    return amount;
  }

  first(entry: number): QueueEntry | undefined {
    for (let number = entry; number <= this.#lastEntry; number++) {
      const found = this.#entries.get(number);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  waitFor(entry: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiters.delete(check);
        signal.removeEventListener('abort', onAbort);
      };
      const check = () => {
        if (this.#lastEntry < entry) return;
        end();
        resolve();
      };
      const onAbort = () => {
        end();
        reject(signal.reason as Error);
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort);
      this.#waiters.add(check);
      check();
    });
  }
}

export class MemoryCursor implements QueueCursor {
  readonly #queue: MemoryQueue;
  readonly emitter: string;
  committed: CursorPoint = { entry: 1, record: 0 };
  state: Json | undefined;
  readonly discarded = { records: 0, bytes: 0 };
  readonly filtered = { records: 0, bytes: 0 };
  readonly commits: CursorCommit[] = [];
  reads = 0;

  constructor(queue: MemoryQueue, emitter: string) {
    this.#queue = queue;
    this.emitter = emitter;
  }

  async read(entry: number): Promise<QueueEntry | undefined> {
    this.reads++;
    await Promise.resolve();
    const fault = this.#queue.readFault?.();
    if (fault !== undefined) throw new QueueError(fault);
    return this.#queue.first(entry);
  }

  waitFor(entry: number, signal: AbortSignal): Promise<void> {
    return this.#queue.waitFor(entry, signal);
  }

  async commit(change: CursorCommit): Promise<void> {
    await Promise.resolve();
    const fault = this.#queue.commitFault?.();
    if (fault !== undefined) throw new QueueError(fault);
    if (isBefore(change.point, this.committed)) {
      throw new Error(`the cursor would go back from ${show(this.committed)} to ${show(change.point)}`);
    }
    this.commits.push(change);
    this.committed = change.point;
    if (change.state !== undefined) this.state = change.state;
    if (change.discarded !== undefined) add(this.discarded, change.discarded);
    if (change.filtered !== undefined) add(this.filtered, change.filtered);
    this.#queue.deadLetters.apply(this.emitter, change);
  }

  moveTo(point: CursorPoint, lost: Amount): void {
    this.committed = point;
    add(this.discarded, lost);
  }
}

interface StoredLetter {
  summary: DeadLetterSummary;
  readonly records: RecordBatch;
}

export class MemoryDeadLetters implements DeadLetters {
  readonly #clock: Clock;
  readonly #limitBytes: number;
  readonly #letters = new Map<DeadLetterId, StoredLetter>();
  readonly #listeners = new Set<() => void>();

  constructor(clock: Clock, limitBytes: number) {
    this.#clock = clock;
    this.#limitBytes = limitBytes;
  }

  list(emitter?: string): DeadLetterSummary[] {
    return [...this.#letters.values()]
      .map(({ summary }) => summary)
      .filter((summary) => emitter === undefined || summary.emitter === emitter)
      .sort((a, b) => compare(a.stream, b.stream) || a.position - b.position);
  }

  async read(id: DeadLetterId): Promise<RecordBatch | undefined> {
    await Promise.resolve();
    return this.#letters.get(id)?.records;
  }

  async requestReplay(ids: readonly DeadLetterId[]): Promise<number> {
    await Promise.resolve();
    const found = ids.filter((id) => this.#change(id, { replaying: true }));
    for (const listener of this.#listeners) listener();
    return found.length;
  }

  async discard(ids: readonly DeadLetterId[]): Promise<number> {
    await Promise.resolve();
    return ids.filter((id) => this.#letters.delete(id)).length;
  }

  replaying(emitter: string): DeadLetterSummary[] {
    return this.list(emitter).filter(({ replaying }) => replaying);
  }

  onReplayRequested(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  full(bytes: number): boolean {
    return this.list().reduce((sum, letter) => sum + letter.bytes, bytes) > this.#limitBytes;
  }

  apply(emitter: string, { deadLetters = [], replayed = [] }: CursorCommit): void {
    for (const id of replayed) {
      if (!this.#letters.delete(id)) throw new Error(`${id} was replayed but is no dead letter`);
    }
    for (const { records, reason } of deadLetters) {
      const id = `${emitter}/${records.stream}/${String(records.start).padStart(16, '0')}`;
      if (this.#letters.get(id)?.summary.replaying === false)
        throw new Error(`${id} is a dead letter already`);
      const summary: DeadLetterSummary = {
        id,
        emitter,
        stream: records.stream,
        position: records.start,
        records: records.sizes.length,
        bytes: endOf(records) - records.start,
        reason,
        rejectedTimeUnixNano: this.#clock.nowUnixNano(),
        replaying: false,
      };
      this.#letters.set(id, { summary, records });
    }
  }

  #change(id: DeadLetterId, change: Partial<DeadLetterSummary>): boolean {
    const letter = this.#letters.get(id);
    if (letter === undefined) return false;
    letter.summary = { ...letter.summary, ...change };
    return true;
  }
}

function add(sum: { records: number; bytes: number }, amount: Amount): void {
  sum.records += amount.records;
  sum.bytes += amount.bytes;
}

function isBefore(a: CursorPoint, b: CursorPoint): boolean {
  return a.entry < b.entry || (a.entry === b.entry && a.record < b.record);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function show({ entry, record }: CursorPoint): string {
  return `${entry}/${record}`;
}
