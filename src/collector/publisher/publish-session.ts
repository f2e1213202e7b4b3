import type {
  Explain,
  Explanation,
  PublishRequest,
  PublishResponse,
  Refused,
  StatusReport,
  Welcome,
} from '../../records/gen/megacollector/v1/aggregator.ts';
import { endOf, type RecordBatch } from '../../records/record-batch.ts';
import type { StreamId } from '../../records/stream-id.ts';
import { minorGcEvery } from '../../runtime/buffer-collection.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { StreamRead } from '../source.ts';
import type { CompressionChoice } from './compression-choice.ts';
import { encodeBatch } from './encode-batch.ts';
import type { PublisherEvents } from './events.ts';
import type { AnswerReceiver, CallEnd, PublishTransport } from './publish-transport.ts';
import type { PublishedStream } from './published-stream.ts';
import { READ_BYTES, ReadBuffers } from './read-buffers.ts';
import { ReadyStreams } from './ready-streams.ts';
import { SentBatches } from './sent-batches.ts';
import { StatusReporter } from './status-reporter.ts';
import { StreamPhases } from './stream-phases.ts';

/**
 * The collector's side of one Publish call, from hello to its end: the turns of the streams, pending batches, and answers.
 *
 *     ready streams --turn--> read into a buffer -> compress -> write             (while the window has room)
 *                                                                        |
 *     source.accept(end of the contiguous accepted bytes) <-- answers <--'
 *
 * One read at a time, in the turns of `ReadyStreams`; at most 8 MiB unanswered. Unanswered batches are
 * discarded when the call ends: the next call begins with a query for the position of each stream.
 */
export class PublishSession implements AnswerReceiver {
  readonly #options: PublishSessionOptions;
  readonly #buffers = new ReadBuffers();
  /** Streams to serve, in turn; each once. The queue belongs to this call; earlier calls do not matter. */
  readonly #ready = new ReadyStreams();
  readonly #sent = new SentBatches();
  readonly #phases: StreamPhases;
  readonly #reporter: StatusReporter | undefined;
  #welcomed = false;
  #fruitful = false;
  /** The aggregator reads the peer column of batches. */
  #hasPeerColumn = false;
  #finishing = false;
  #hasEnded = false;
  #changed: () => void = () => {};
  #resolveClosed: (end: CallEnd) => void = () => {};
  readonly #closed = new Promise<CallEnd>((resolve) => {
    this.#resolveClosed = resolve;
  });

  constructor(options: PublishSessionOptions) {
    this.#options = options;
    this.#phases = new StreamPhases({
      ...options,
      send: (message) => this.#send(message),
      enqueue: (stream) => this.#enqueue(stream),
    });
    const { status, clock } = options;
    const send = (value: StatusReport) => this.#send({ $case: 'statusReport', value });
    this.#reporter = status && new StatusReporter({ status, send, clock });
  }

  /** Runs the call to its end; never rejects. */
  async run(): Promise<SessionEnd> {
    const { transport, clock, identity, undelivered, explain } = this.#options;
    transport.deliverTo(this);
    const cancelDeadline = clock.after(WELCOME_WITHIN_MS, () => {
      if (!this.#welcomed) transport.cancel();
    });
    const wants = undelivered === undefined ? {} : { wantsUndelivered: true };
    const explains = explain !== undefined;
    this.#send({ $case: 'hello', value: { ...identity, ...wants, explains, protocolVersion: 1 } });
    const [, { reason, replaced }] = await Promise.all([this.#pump(), this.#closed]);
    cancelDeadline();
    this.#reporter?.stop();
    this.#phases.close();
    return { reason, replaced, welcomed: this.#welcomed, fruitful: this.#fruitful };
  }

  /** Stops reading; ends the call when all pending batches are answered. */
  finish(): void {
    this.#finishing = true;
    this.#changed();
  }

  cancel(): void {
    this.#options.transport.cancel();
  }

  /** The stream must be opened, or may have more to read. */
  wake(stream: PublishedStream): void {
    stream.woken = true;
    if (stream.phase === 'idle') stream.phase = 'open';
    if (stream.phase === 'open' || stream.phase === 'unopened') this.#enqueue(stream);
  }

  #enqueue(stream: PublishedStream): void {
    if (!this.#welcomed) return;
    this.#ready.add(stream);
    this.#changed();
  }

  async #pump(): Promise<void> {
    while (!this.#hasEnded && !this.#finishing) {
      const stream = this.#sent.hasRoom ? this.#ready.take() : undefined;
      if (stream === undefined) await this.#nextChange();
      else if (this.#options.streams.get(stream.source.id) === stream) await this.#serve(stream);
    }
    while (!this.#hasEnded && this.#sent.size > 0) await this.#nextChange();
    if (!this.#hasEnded) this.#options.transport.end();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }

  async #serve(stream: PublishedStream): Promise<void> {
    if (stream.phase === 'unopened') {
      this.#phases.open(stream);
    } else if (stream.phase === 'open' && !(stream.trickles && stream.unanswered.size >= TRICKLE_BATCHES)) {
      await this.#readFrom(stream);
    }
  }

  async #readFrom(stream: PublishedStream): Promise<void> {
    stream.woken = false;
    const read = await this.#read(stream);
    // The call may have ended, or the stream may have been reopened or closed, during the read.
    if (this.#hasEnded || stream.phase !== 'open') return;
    if (read.kind === 'records') {
      this.#sendBatch(stream, read);
      this.#enqueue(stream);
    } else if (read.kind === 'ended') {
      stream.phase = 'ended';
      this.#phases.finish(stream);
    } else if (stream.woken) this.#enqueue(stream);
    else stream.phase = 'idle';
  }

  async #read(stream: PublishedStream): Promise<StreamRead> {
    try {
      return await stream.source.read(stream.next, this.#buffers.current, this.#hasPeerColumn);
    } catch (error) {
      this.#options.events.readFailed({ stream: stream.source.id, err: error });
      return { kind: 'waiting' };
    }
  }

  #sendBatch(stream: PublishedStream, read: StreamRead & { kind: 'records' }): void {
    const { batch, endCheck, checksums } = read;
    const { transport, compression, events, clock } = this.#options;
    const bytes = batch.data.length;
    const sequence = this.#sent.add(stream, batch);
    stream.next = endOf(batch);
    stream.trickles = bytes < TRICKLE_BYTES;
    events.unanswered({ bytes: this.#sent.bytes });
    events.sent({ records: batch.sizes.length, bytes });
    stream.sentRecords += batch.sizes.length;
    this.#options.onSent?.(batch, stream.sourceName);
    const message = encodeBatch({ sequence, batch, endCheck, checksums }, compression.current, this.#buffers);
    compression.sending(clock.monotonicMs());
    const length = message.head.length + message.data.length;
    transport.send(message, () => {
      compression.sent(length, clock.monotonicMs());
      this.#buffers.release(message.data);
    });
    collectGarbageAfter(bytes);
  }

  receive(message: PublishResponse['message']): void {
    switch (message?.$case) {
      case 'welcome':
        return this.#receiveWelcome(message.value);
      case 'streamOpened':
        void this.#phases.opened(message.value);
        return;
      case 'accepted':
        this.#receiveUndelivered(message.value.undeliveredRecords);
        return this.#receiveAccepted(message.value.sequences);
      case 'refused':
        return this.#receiveRefused(message.value);
      case 'busy':
        return this.#receiveBusy(message.value.reason);
      case 'explain':
        void this.#explain(message.value);
        return;
      case undefined:
      // Ignores messages of later versions.
    }
  }

  #receiveBusy(reason: string): void {
    const { events, address } = this.#options;
    events.busy({ address, reason });
  }

  async #explain(question: Explain): Promise<void> {
    const value = await this.#options.explain?.(question);
    if (value !== undefined) this.#send({ $case: 'explanation', value });
  }

  #receiveWelcome(welcome: Welcome): void {
    this.#welcomed = true;
    this.#hasPeerColumn = welcome.recordPeers ?? false;
    this.#sent.limitTo(welcome.limits?.unansweredBytes ?? READ_BYTES);
    const { events, address } = this.#options;
    events.connected({ address, software: welcome.software });
    for (const stream of this.#options.streams.values()) this.#enqueue(stream);
    // Others end the call when they receive an unknown message.
    if (welcome.statusReports === true) this.#reporter?.start();
  }

  /** undefined: an aggregator of version 0.1.0, or one that is not asked. */
  #receiveUndelivered(records: bigint | undefined): void {
    if (records !== undefined) this.#options.undelivered?.(Number(records));
  }

  #receiveAccepted(sequences: readonly bigint[]): void {
    this.#options.events.accepted({ batches: sequences.length });
    for (const answered of sequences) {
      const sequence = Number(answered);
      const stream = this.#answered(sequence);
      this.#fruitful ||= stream !== undefined;
      const end = stream?.unanswered.accepted(sequence);
      if (stream === undefined || end === undefined) continue;
      stream.reopened = false;
      stream.source.accept(end);
      if (stream.phase === 'ended') this.#phases.finish(stream);
      else if (stream.phase === 'open') this.#enqueue(stream);
    }
    this.#changed();
  }

  #answered(sequence: number): PublishedStream | undefined {
    const stream = this.#sent.answered(sequence);
    if (stream !== undefined) this.#options.events.unanswered({ bytes: this.#sent.bytes });
    return stream;
  }

  #receiveRefused({ sequence: answered, reason, cause }: Refused): void {
    const sequence = Number(answered);
    const stream = this.#answered(sequence);
    // Later batches of the stream are rejected as well. One report is enough, and the stream may be open
    // again.
    if (stream?.unanswered.has(sequence) && stream.phase !== 'refused') {
      // Twice in a row, this side's comparison found no difference: an operator must act.
      if (cause === OTHER_BYTES && !stream.reopened) this.#phases.reopen(stream);
      else this.#phases.refuse(stream, reason);
    }
    this.#changed();
  }

  #send(message: NonNullable<PublishRequest['message']>): void {
    if (!this.#hasEnded) this.#options.transport.send({ message });
  }

  closed(end: CallEnd): void {
    this.#hasEnded = true;
    this.#resolveClosed(end);
    this.#changed();
  }
}

const WELCOME_WITHIN_MS = 10_000;
/** `REFUSAL_CAUSE_OTHER_BYTES` */
const OTHER_BYTES = 1;
/**
 * A stream whose last read was smaller than this has at most this many pending batches: the next one collects
 * more.
 */
const TRICKLE_BYTES = 128 * 1024;
const TRICKLE_BATCHES = 2;

/** The heads of written messages, and bytes that were copied. Most bytes are in buffers that are used again. */
const collectGarbageAfter = minorGcEvery(16 * 1024 * 1024);

export interface CollectorIdentity {
  /** 16 bytes, created once, kept in the state. */
  readonly collectorId: Buffer;
  /** Random for each start. */
  readonly instance: bigint;
  /** The instance that used this state before; undefined at the first start. */
  readonly previousInstance?: bigint | undefined;
  readonly software: string;
  readonly host: string;
}

export interface PublishSessionOptions {
  readonly transport: PublishTransport;
  readonly address: string;
  readonly identity: CollectorIdentity;
  readonly compression: CompressionChoice;
  readonly streams: ReadonlyMap<StreamId, PublishedStream>;
  /** The stream gets no more bytes, and all of it is accepted. */
  readonly finished: (stream: PublishedStream) => void;
  readonly events: PublisherEvents;
  readonly clock: Clock;
  /** Called with each batch and the name of its source. The bytes are valid only during the call. Must not throw. */
  readonly onSent?: ((batch: RecordBatch, source: string) => void) | undefined;
  /** If present, the aggregator is requested to report with its answers how many records it has not delivered. */
  readonly undelivered?: ((records: number) => void) | undefined;
  /** If present, the state of this collector is reported to an aggregator that reads it. */
  readonly status?: (() => StatusReport) | undefined;
  /** Explains a file to the aggregator; never rejects. If absent, the aggregator is refused. */
  readonly explain?: ((question: Explain) => Promise<Explanation>) | undefined;
}

export interface SessionEnd extends CallEnd {
  readonly welcomed: boolean;
  /** A batch was accepted: the aggregator works. */
  readonly fruitful: boolean;
}
