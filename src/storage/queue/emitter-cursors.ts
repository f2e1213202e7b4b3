import type { Amount } from '../../records/amount.ts';
import { minus, plus } from '../../records/amount.ts';
import type { Arrivals } from './arrivals.ts';
import { CorruptQueueEntryError } from './corrupt-queue-entry-error.ts';
import type { Cursors } from './cursors.ts';
import type { StoredDeadLetters } from './dead-letters.ts';
import type { QueueEvents } from './events.ts';
import { type CursorPoint, type QueueCursor, QueueError } from './queue-contract.ts';
import { EmitterCursor } from './queue-cursor.ts';
import type { QueueIndex } from './queue-index.ts';
import type { QueueReader } from './queue-reader.ts';
import type { Trimming } from './trimming.ts';

export interface KnownEmitter {
  readonly name: string;
  readonly committed: CursorPoint;
  readonly queued: Amount;
  readonly deadLettered: Amount;
}

export interface EmitterCursorsParts {
  readonly index: QueueIndex;
  readonly reader: QueueReader;
  readonly cursors: Cursors;
  readonly deadLetters: StoredDeadLetters;
  readonly arrivals: Arrivals;
  readonly trimming: Trimming;
  readonly events: QueueEvents;
}

/** Opens, lists and removes the cursors of the emitters. */
export class EmitterCursors {
  readonly #parts: EmitterCursorsParts;
  readonly #open = new Map<string, EmitterCursor>();

  constructor(parts: EmitterCursorsParts) {
    this.#parts = parts;
  }

  async open(emitter: string, start: 'oldest' | 'now', returnsRecords = false): Promise<QueueCursor> {
    const { index, cursors } = this.#parts;
    if (cursors.row(emitter) === undefined) {
      const entry = start === 'oldest' ? index.first : index.next;
      const before = index.amountBefore({ entry, record: 0, offset: 0 });
      await cursors.add(emitter, entry, before).catch((error: Error) => {
        throw new QueueError(`Cannot create a cursor for emitter ${emitter}: ${error.message}`, {
          cause: error,
        });
      });
    }
    const cursor =
      this.#open.get(emitter) ??
      new EmitterCursor(emitter, {
        ...this.#parts,
        returnsRecords,
        onMoved: () => this.#moved(),
      });
    this.#open.set(emitter, cursor);
    return cursor;
  }

  known(): readonly KnownEmitter[] {
    const { cursors, deadLetters, index } = this.#parts;
    return cursors.emitters.map((name) => {
      const { entry = index.next, record = 0 } = cursors.row(name) ?? {};
      return {
        name,
        committed: { entry, record },
        queued: cursors.queued(name, index),
        deadLettered: deadLetters.amount(name),
      };
    });
  }

  async forget(emitter: string): Promise<boolean> {
    const { cursors, deadLetters, events, index } = this.#parts;
    if (cursors.row(emitter) === undefined) return false;
    if (this.#open.has(emitter)) throw new QueueError(`Cannot forget emitter ${emitter}: it is in use`);
    const hadRecords = cursors.queued(emitter, index).records + deadLetters.amount(emitter).records > 0;
    try {
      await deadLetters.removeAll(emitter);
      await cursors.remove(emitter);
    } catch (error) {
      throw new QueueError(`Cannot forget emitter ${emitter}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    events[hadRecords ? 'emitterWithRecordsForgotten' : 'emitterForgotten']({ emitter });
    await this.#parts.trimming.trim();
    return true;
  }

  async skipCorruptEntry(emitter: string): Promise<Amount | undefined> {
    const { cursors, events } = this.#parts;
    const row = cursors.row(emitter);
    if (row === undefined)
      throw new QueueError(`Cannot skip an entry of emitter ${emitter}: it does not exist`);
    const { entry, record, offset } = row;
    const damage = await this.#parts.reader.read(entry).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(damage instanceof CorruptQueueEntryError)) return undefined;
    const lost = minus(damage.amount, { records: record, bytes: offset });
    const next = { entry: entry + 1, record: 0, offset: 0 };
    await cursors.change([emitter], (current) =>
      current.entry === entry
        ? { ...current, ...next, discarded: { ...plus(current.discarded, lost) } }
        : current,
    );
    const { path, stream } = damage;
    events.corruptEntryDiscarded({ emitter, entry: damage.entry, path, stream, ...lost });
    await this.#parts.trimming.trim();
    return lost;
  }

  #moved(): void {
    const { cursors, reader, trimming } = this.#parts;
    reader.recent.passed(Math.min(...cursors.emitters.map((name) => cursors.row(name)?.entry ?? 0)));
    void trimming.trim();
  }
}
