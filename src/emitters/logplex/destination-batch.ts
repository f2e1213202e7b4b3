import { forEachLogRecord } from '../../formats/record-view.ts';
import { encodeMessage } from '../../protocols/logplex/encode-message.ts';
import type { LongText } from '../../protocols/syslog/fit-text.ts';
import type { LogRecord } from '../../records/log-record.ts';
import { type RecordBatch, sliceRecords } from '../../records/record-batch.ts';
import { Body } from './body.ts';
import type { LogplexEvents } from './events.ts';
import { type Label, type MessageStyle, messageOfRecord } from './message-of-record.ts';

/**
 * The records of a batch for one destination: packs them into request bodies and tracks their delivery. Its
 * `Destination` reports the results:
 *
 *     from        to          by
 *     ------------------------------------------------------------------------------------------------
 *     unsent      delivered   delivered: the server has accepted all frames of the record
 *     unsent      isolated    rejectedInIsolation: the server rejects a body with only this record
 *     isolated    poison      delivered, of any other record: the destination works, so it is the record
 *     isolated    unsent      clearIsolatedRejections: the destination is faulty
 *
 * At the end, isolated and poison records are rejected; unsent ones are retried, or are rejected if the
 * destination is suspended.
 */
export class DestinationBatch {
  readonly #runs: RecordRun[] = [];
  readonly #options: DestinationBatchOptions;
  readonly #events: LogplexEvents;
  /** Frames of each record that the server has not accepted. */
  readonly #missing = new Map<number, number>();
  readonly #delivered = new Set<number>();
  #isolated: RejectedRecord[] = [];
  #poison: RejectedRecord[] = [];

  constructor(options: DestinationBatchOptions, events: LogplexEvents) {
    this.#options = options;
    this.#events = events;
  }

  add(run: RecordRun): void {
    this.#runs.push(run);
  }

  get runs(): readonly RecordRun[] {
    return this.#runs;
  }

  isDelivered(record: number): boolean {
    return this.#delivered.has(record);
  }

  /** The indexes of all undelivered records, ascending. */
  undelivered(): number[] {
    return this.#runs.flatMap(({ slice, firstIndex }) =>
      Array.from(slice.sizes, (_, index) => firstIndex + index).filter(
        (record) => !this.#delivered.has(record),
      ),
    );
  }

  /** Records that the destination rejects for their content. */
  get rejected(): readonly RejectedRecord[] {
    return [...this.#poison, ...this.#isolated];
  }

  /** Bodies in order. All frames of a record are in one body, unless they need more than one. */
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
    this.#poison.push(...this.#isolated);
    this.#isolated = [];
  }

  rejectedInIsolation(body: Body, reason: string): void {
    const record = body.frames[0]?.record;
    if (record !== undefined && !this.rejected.some((known) => known.record === record))
      this.#isolated.push({ record, reason });
  }

  clearIsolatedRejections(): void {
    this.#isolated = [];
  }

  *#messages(): Generator<Message> {
    for (const { slice, firstIndex, label } of this.#runs) {
      let dataStart = 0;
      for (let from = 0; from < slice.sizes.length; from += CHUNK_RECORDS) {
        const chunk = sliceRecords(
          slice,
          from,
          Math.min(from + CHUNK_RECORDS, slice.sizes.length),
          dataStart,
        );
        dataStart += chunk.data.length;
        const messages: Message[] = [];
        forEachLogRecord(chunk, (record, index) =>
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

/** Consecutive records of one slice for one destination. */
export interface RecordRun {
  readonly slice: RecordBatch;
  /** The index of the slice's first record in the batch. */
  readonly firstIndex: number;
  readonly label: Label;
}

export interface DestinationBatchOptions extends MessageStyle {
  readonly token: string;
  readonly longText: LongText;
}

/** A record that the server rejects, by its index in the batch. */
export interface RejectedRecord {
  readonly record: number;
  readonly reason: string;
}

interface Message {
  readonly record: number;
  readonly frames: readonly Uint8Array[];
  readonly start: string;
}

/** Records parsed at a time: limits memory independently of the batch size. */
const CHUNK_RECORDS = 16;
