import { forEachLogRecord } from '../../formats/record-view.ts';
import { encodeMessage } from '../../protocols/logplex/encode-message.ts';
import type { LongText } from '../../protocols/logplex/fit-text.ts';
import type { LogRecord } from '../../records/log-record.ts';
import { type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import { Body } from './body.ts';
import type { LogplexEvents } from './events.ts';
import { type Label, type MessageStyle, messageOfRecord } from './message-of-record.ts';

/** Records of one slice, one after another, that go to one destination. */
export interface Run {
  readonly slice: RecordBatch;
  /** The index of the slice's first record in the batch. */
  readonly firstIndex: number;
  readonly label: Label;
}

export interface ShareOptions extends MessageStyle {
  readonly token: string;
  readonly longText: LongText;
}

/** What a batch holds for one destination: packed into bodies one by one, and kept account of. */
export class Share {
  readonly #runs: Run[] = [];
  readonly #options: ShareOptions;
  readonly #events: LogplexEvents;
  /** Frames of a record that have not arrived yet. */
  readonly #missing = new Map<number, number>();
  readonly #delivered = new Set<number>();
  /** Records that were refused alone, and nothing was taken since: perhaps it is not they. */
  #suspects: { readonly record: number; readonly reason: string }[] = [];
  #poison: { readonly record: number; readonly reason: string }[] = [];

  constructor(options: ShareOptions, events: LogplexEvents) {
    this.#options = options;
    this.#events = events;
  }

  add(run: Run): void {
    this.#runs.push(run);
  }

  get runs(): readonly Run[] {
    return this.#runs;
  }

  isDelivered(record: number): boolean {
    return this.#delivered.has(record);
  }

  /** The indexes of all records that have not arrived, ascending. */
  undelivered(): number[] {
    return this.#runs.flatMap(({ slice, firstIndex }) =>
      Array.from(slice.sizes, (_, index) => firstIndex + index).filter(
        (record) => !this.#delivered.has(record),
      ),
    );
  }

  /** The records that the destination will never take. */
  get poison(): readonly { readonly record: number; readonly reason: string }[] {
    return [...this.#poison, ...this.#suspects];
  }

  /** In order. A record is in one body with all its frames, unless it alone fills more than one. */
  *bodies(): Generator<Body> {
    let body = new Body();
    for (const { record, frames, start } of this.#messages()) {
      const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
      if (!body.hasRoomFor(bytes) && !body.isEmpty) {
        yield body;
        body = new Body();
      }
      for (const frame of frames) {
        if (!body.hasRoomFor(frame.length)) {
          yield body;
          body = new Body();
        }
        body.add({ record, bytes: frame, origin: start });
      }
    }
    if (!body.isEmpty) yield body;
  }

  delivered(body: Body): void {
    for (const { record } of body.frames) {
      const missing = (this.#missing.get(record) ?? 0) - 1;
      this.#missing.set(record, missing);
      if (missing === 0) this.#delivered.add(record);
    }
    this.#poison.push(...this.#suspects);
    this.#suspects = [];
  }

  refusedAlone(body: Body, reason: string): void {
    const record = body.frames[0]?.record;
    if (record !== undefined && !this.poison.some((known) => known.record === record))
      this.#suspects.push({ record, reason });
  }

  /** It was the destination. */
  acquitSuspects(): void {
    this.#suspects = [];
  }

  *#messages(): Generator<Message> {
    for (const { slice, firstIndex, label } of this.#runs) {
      let dataStart = 0;
      for (let from = 0; from < slice.sizes.length; from += STRETCH_RECORDS) {
        const stretch = sliceRecords(
          slice,
          from,
          Math.min(from + STRETCH_RECORDS, slice.sizes.length),
          dataStart,
        );
        dataStart += stretch.data.length;
        const messages: Message[] = [];
        forEachLogRecord(stretch, (record, index) =>
          messages.push(this.#message(record, firstIndex + from + index, label)),
        );
        yield* messages;
      }
    }
  }

  #message(record: LogRecord, index: number, label: Label): Message {
    const { token, longText } = this.#options;
    const message = { ...messageOfRecord(record, this.#options, label), token };
    const { frames, missingBytes } = encodeMessage(message, longText);
    if (missingBytes > 0) this.#events.truncated();
    if (frames.length > 1) this.#events.split();
    this.#missing.set(index, frames.length);
    return { record: index, frames, start: `${record.stream}/${record.position}` };
  }
}

interface Message {
  readonly record: number;
  readonly frames: readonly Uint8Array[];
  readonly start: string;
}

/** Records that are parsed at a stretch: what is held of them is bounded by this, not by the batch. */
const STRETCH_RECORDS = 16;
