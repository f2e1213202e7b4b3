import { hash } from 'node:crypto';
import type { Position } from '../../../records/position.ts';
import type { StateStore, Table } from '../../../storage/state/state-store.ts';
import type { Delivery } from '../../../transport/rabbitmq/queue-consumer.ts';

/** Where a stream is read from at the first start. */
export type StreamStart = 'first' | 'last' | 'next' | Date;

/** The last message of a stream that is on disk. */
type OffsetRow = { readonly offset: number; readonly digest: string };

/** `lost`: the number of messages before this one that the stream no longer has. */
export type CheckedOffset =
  | { readonly kind: 'new'; readonly lost: number }
  | { readonly kind: 'known' }
  /** The stream was deleted and declared again. */
  | { readonly kind: 'other-stream' };

/**
 * The position of the source in a stream of RabbitMQ. It is written in the transaction that stores the messages, so each
 * message becomes a record once, also after a crash.
 *
 * Each connection begins with the last stored message. It proves that the stream is the same and that nothing after it
 * is missing. A later message instead of it shows that the stream has deleted messages that were not read.
 */
export class StreamOffsets {
  readonly #origin: string;
  #start: StreamStart;
  readonly #table: Table<OffsetRow>;
  /** Appended, and not stored yet. */
  readonly #appended: (OffsetRow & { readonly end: Position })[] = [];
  /** The last message that was appended, by this process or an earlier one. */
  #last: OffsetRow | undefined;
  /** Whether a message has arrived on this connection. */
  #isChecked = false;

  constructor({ store, origin, start }: StreamOffsetsOptions) {
    this.#origin = origin;
    this.#start = start;
    this.#table = store.table(TABLE);
    this.#last = this.#table.get(origin);
  }

  /** The value of `x-stream-offset` for the next connection. */
  begin(): unknown {
    this.#isChecked = false;
    if (this.#last !== undefined) return this.#last.offset;
    if (!(this.#start instanceof Date)) return this.#start;
    return { '!': 'timestamp', value: Math.floor(this.#start.getTime() / 1000) };
  }

  /** Compares a message with the last one that was appended. */
  check(delivery: Delivery): CheckedOffset {
    const offset = offsetOf(delivery);
    const isFirst = !this.#isChecked;
    this.#isChecked = true;
    const last = this.#last;
    if (last === undefined) return NEW;
    if (offset === last.offset && isFirst && digestOf(delivery) !== last.digest)
      return { kind: 'other-stream' };
    if (offset <= last.offset) return { kind: 'known' };
    return { kind: 'new', lost: isFirst ? offset - last.offset - 1 : 0 };
  }

  /** The message is appended to the journal, which stores it with everything before `end`. */
  appended(delivery: Delivery, end: Position): void {
    this.#last = { offset: offsetOf(delivery), digest: digestOf(delivery) };
    this.#appended.push({ ...this.#last, end });
  }

  /** For the journal: called inside the transaction that stores all messages before `end`. */
  storing(end: Position): void {
    const stored = this.#appended.findLast((each) => each.end <= end);
    if (stored === undefined) return;
    const { offset, digest } = stored;
    this.#table.put(this.#origin, { offset, digest });
  }

  /** For the journal: the transaction is committed. */
  stored(end: Position): void {
    const first = this.#appended.findIndex((each) => each.end > end);
    this.#appended.splice(0, first === -1 ? this.#appended.length : first);
  }

  /** A message is stored, and none has arrived on this connection, not even that one. */
  get isSilent(): boolean {
    return this.#last !== undefined && !this.#isChecked;
  }

  /** Whether a stream that ends with this offset never had the last message that was appended. */
  isAfter(end: number): boolean {
    return this.#last !== undefined && end < this.#last.offset;
  }

  /** The next connection reads the stream from its beginning. */
  forget(): void {
    this.#last = undefined;
    this.#start = 'first';
  }
}

/** Removes the positions in streams that are not configured any more. */
export async function forgetOffsets(store: StateStore, origins: ReadonlySet<string>): Promise<void> {
  const table = store.table<OffsetRow>(TABLE);
  const forgotten = Array.from(table.entries(), ({ key }) => key as string).filter(
    (key) => !origins.has(key),
  );
  if (forgotten.length === 0) return;
  await store.write(() => {
    for (const key of forgotten) table.remove(key);
  });
}

export interface StreamOffsetsOptions {
  readonly store: StateStore;
  readonly origin: string;
  readonly start: StreamStart;
}

/** Rows: origin -> the last stored message. */
const TABLE = 'rabbitmq offsets';
const NEW: CheckedOffset = { kind: 'new', lost: 0 };
const DIGEST_CHARACTERS = 16;

export function offsetOf({ properties }: Pick<Delivery, 'properties'>): number {
  const { 'x-stream-offset': offset } = (properties.headers ?? {}) as Readonly<Record<string, unknown>>;
  return Number(offset);
}

function digestOf({ content }: Delivery): string {
  return hash('sha256', content, 'base64').slice(0, DIGEST_CHARACTERS);
}
