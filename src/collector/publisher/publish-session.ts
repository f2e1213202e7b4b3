import { type ServiceError, type StatusObject, status as statusCode } from '@grpc/grpc-js';
import { checkFromBytes } from '../../records/check.ts';
import { checksumFromMessage } from '../../records/checksum-codec.ts';
import type { CompressionName } from '../../records/compression.ts';
import type {
  PublishRequest,
  PublishResponse,
  Refused,
  Welcome,
} from '../../records/gen/megacollector/v1/aggregator.ts';
import { LIMITS } from '../../records/limits.ts';
import { endOf } from '../../records/record-batch.ts';
import { type StreamId, streamIdFromBytes, streamIdToBytes } from '../../records/stream-id.ts';
import { minorGcEvery } from '../../runtime/buffer-collection.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import type { StreamRead } from '../source.ts';
import { conciseReason } from './concise-reason.ts';
import { encodeBatch } from './encode-batch.ts';
import type { PublisherEvents } from './events.ts';
import type { PublishStream } from './publish-client.ts';
import type { PublishedStream } from './published-stream.ts';

/**
 * One Publish call from hello to its end: the turns of the streams, pending batches, and answers.
 *
 *     ready streams --turn--> read into the one buffer -> compress -> write       (while the window has room)
 *                                                                        |
 *     source.accept(end of the contiguous accepted bytes) <-- answers <--'
 *
 * One read at a time, round-robin over the ready streams; at most 8 MiB unanswered. Unanswered batches are
 * discarded when the call ends: the next call begins with a query for the position of each stream.
 */
export class PublishSession {
  readonly #options: PublishSessionOptions;
  /** The only buffer for file data, whatever the size and number of the files. */
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  /** Streams to serve, in turn; each once. The queue belongs to this call; earlier calls do not matter. */
  readonly #ready = new Set<PublishedStream>();
  readonly #sent = new Map<number, { readonly stream: PublishedStream; readonly bytes: number }>();
  readonly #timers = new Set<Cancel>();
  #windowBytes: number = LIMITS.unansweredBytes;
  #unansweredBytes = 0;
  #sequence = 0;
  #welcomed = false;
  #fruitful = false;
  #replaced = false;
  #finishing = false;
  #end: string | undefined;
  #changed: () => void = () => {};

  constructor(options: PublishSessionOptions) {
    this.#options = options;
  }

  /** Runs the call to its end; never rejects. */
  async run(): Promise<SessionEnd> {
    const { call, clock, identity } = this.#options;
    const ended = new Promise<void>((resolve) => {
      call.on('data', (response: PublishResponse) => this.#receive(response));
      call.on('error', (error: ServiceError) => this.#ended(conciseReason(error.details || error.message)));
      call.on('status', (status: StatusObject) => {
        this.#replaced = status.code === statusCode.ABORTED;
        this.#ended(conciseReason(status.details) || 'the aggregator ended the call');
        resolve();
      });
    });
    this.#timers.add(
      clock.after(WELCOME_WITHIN_MS, () => {
        if (!this.#welcomed) call.cancel();
      }),
    );
    const { undelivered } = this.#options;
    const wants = undelivered === undefined ? {} : { wantsUndelivered: true };
    this.#send({ $case: 'hello', value: { ...identity, ...wants, protocolVersion: 1 } });
    await Promise.all([this.#pump(), ended]);
    for (const cancel of this.#timers) cancel();
    return {
      reason: this.#end ?? '',
      welcomed: this.#welcomed,
      fruitful: this.#fruitful,
      replaced: this.#replaced,
    };
  }

  /** Stops reading; ends the call when all pending batches are answered. */
  finish(): void {
    this.#finishing = true;
    this.#changed();
  }

  cancel(): void {
    this.#options.call.cancel();
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
    while (this.#end === undefined && !this.#finishing) {
      const [stream] = this.#unansweredBytes < this.#windowBytes ? this.#ready : [];
      if (stream === undefined) await this.#nextChange();
      else {
        this.#ready.delete(stream);
        if (this.#options.streams.get(stream.source.id) === stream) await this.#serve(stream);
      }
    }
    while (this.#end === undefined && this.#sent.size > 0) await this.#nextChange();
    if (this.#end === undefined) this.#options.call.end();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }

  async #serve(stream: PublishedStream): Promise<void> {
    if (stream.phase === 'unopened') {
      stream.phase = 'opening';
      const { id, accepted } = stream.source;
      this.#send({ $case: 'openStream', value: { stream: streamIdToBytes(id), accepted: BigInt(accepted) } });
    } else if (stream.phase === 'open' && !(stream.trickles && stream.unanswered.size >= TRICKLE_BATCHES)) {
      await this.#readFrom(stream);
    }
  }

  async #readFrom(stream: PublishedStream): Promise<void> {
    stream.woken = false;
    const read = await this.#read(stream);
    // The call may have ended, or the stream may have been reopened or closed, during the read.
    if (this.#end !== undefined || stream.phase !== 'open') return;
    if (read.kind === 'records') {
      this.#sendBatch(stream, read);
      this.#enqueue(stream);
    } else if (read.kind === 'ended') {
      stream.phase = 'ended';
      this.#finishStream(stream);
    } else if (stream.woken) this.#enqueue(stream);
    else stream.phase = 'idle';
  }

  async #read(stream: PublishedStream): Promise<StreamRead> {
    try {
      return await stream.source.read(stream.next, this.#buffer);
    } catch (error) {
      this.#options.events.readFailed(stream.source.id, error as Error);
      return { kind: 'waiting' };
    }
  }

  #sendBatch(stream: PublishedStream, read: StreamRead & { kind: 'records' }): void {
    const { batch, endCheck, checksums } = read;
    const bytes = batch.data.length;
    const end = endOf(batch);
    const sequence = ++this.#sequence;
    stream.next = end;
    stream.trickles = bytes < TRICKLE_BYTES;
    stream.unanswered.sent({ sequence, start: batch.start, end });
    this.#sent.set(sequence, { stream, bytes });
    this.#unansweredBytes += bytes;
    this.#options.events.unanswered(this.#unansweredBytes);
    this.#options.events.sent(batch.sizes.length, bytes);
    const { call, compression } = this.#options;
    call.write(encodeBatch({ sequence, batch, endCheck, checksums }, compression));
    collectGarbageAfter(bytes);
  }

  #receive({ message }: PublishResponse): void {
    switch (message?.$case) {
      case 'welcome':
        return this.#receiveWelcome(message.value);
      case 'streamOpened':
        void this.#receiveStreamOpened(message.value);
        return;
      case 'accepted':
        this.#receiveUndelivered(message.value.undeliveredRecords);
        return this.#receiveAccepted(message.value.sequences);
      case 'refused':
        return this.#receiveRefused(message.value);
      case 'busy':
        return this.#options.events.busy(this.#options.address, message.value.reason);
      case undefined:
      // Ignores messages of later versions.
    }
  }

  #receiveWelcome(welcome: Welcome): void {
    this.#welcomed = true;
    this.#windowBytes = Math.min(LIMITS.unansweredBytes, welcome.limits?.unansweredBytes ?? READ_BYTES);
    this.#options.events.connected(this.#options.address, welcome.software);
    for (const stream of this.#options.streams.values()) this.#enqueue(stream);
  }

  async #receiveStreamOpened(opened: StreamOpenedMessage): Promise<void> {
    const id = streamIdFromBytes(opened.stream);
    const stream = id === undefined ? undefined : this.#options.streams.get(id);
    if (stream?.phase !== 'opening') return;
    if (opened.refusal !== '') return this.#refuse(stream, opened.refusal);
    const decision = await stream.source
      .resume({
        end: Number(opened.end),
        check: checkFromBytes(opened.check),
        checksum: checksumFromMessage(opened.checksum),
        contiguousEnd: Number(opened.contiguousEnd),
      })
      .catch((error: Error) => {
        this.#options.events.readFailed(stream.source.id, error);
        return { kind: 'continue', from: stream.source.accepted } as const;
      });
    if (decision.kind === 'ended') return this.#options.events.streamEndedOnResume(stream.source.id);
    stream.next = decision.from;
    stream.phase = 'open';
    this.#enqueue(stream);
  }

  /** undefined: an aggregator of version 0.1.0, or one that is not asked. */
  #receiveUndelivered(records: bigint | undefined): void {
    if (records !== undefined) this.#options.undelivered?.(Number(records));
  }

  #receiveAccepted(sequences: readonly bigint[]): void {
    this.#fruitful = true;
    this.#options.events.accepted(sequences.length);
    for (const answered of sequences) {
      const sequence = Number(answered);
      const stream = this.#answered(sequence);
      const end = stream?.unanswered.accepted(sequence);
      if (stream === undefined || end === undefined) continue;
      stream.reopened = false;
      stream.source.accept(end);
      if (stream.phase === 'ended') this.#finishStream(stream);
      else if (stream.phase === 'open') this.#enqueue(stream);
    }
    this.#changed();
  }

  #answered(sequence: number): PublishedStream | undefined {
    const sent = this.#sent.get(sequence);
    if (sent === undefined) return undefined;
    this.#sent.delete(sequence);
    this.#unansweredBytes -= sent.bytes;
    this.#options.events.unanswered(this.#unansweredBytes);
    return sent.stream;
  }

  #receiveRefused({ sequence: answered, reason, cause }: Refused): void {
    const sequence = Number(answered);
    const stream = this.#answered(sequence);
    // Later batches of the stream are rejected as well. One report is enough, and the stream may be open
    // again.
    if (stream?.unanswered.has(sequence) && stream.phase !== 'refused') {
      // Twice in a row, this side's comparison found no difference: an operator must act.
      if (cause === OTHER_BYTES && !stream.reopened) this.#reopen(stream);
      else this.#refuse(stream, reason);
    }
    this.#changed();
  }

  /** The aggregator has other bytes of this stream: its next answer shows where they differ. */
  #reopen(stream: PublishedStream): void {
    stream.reset();
    stream.reopened = true;
    this.#enqueue(stream);
  }

  #refuse(stream: PublishedStream, reason: string): void {
    stream.phase = 'refused';
    this.#options.events.refused(stream.source.id, reason);
    stream.source.refuse(reason);
    this.#timers.add(
      this.#options.clock.after(TRY_REFUSED_AGAIN_MS, () => {
        stream.reset();
        this.#enqueue(stream);
      }),
    );
  }

  #finishStream(stream: PublishedStream): void {
    if (stream.unanswered.size > 0) return;
    const { id, accepted } = stream.source;
    this.#send({ $case: 'finalStream', value: { stream: streamIdToBytes(id), end: BigInt(accepted) } });
    this.#options.finished(stream);
  }

  #send(message: NonNullable<PublishRequest['message']>): void {
    if (this.#end === undefined) this.#options.call.write({ message });
  }

  #ended(reason: string): void {
    this.#end ??= reason;
    this.#changed();
  }
}

const READ_BYTES = 1024 * 1024;
const WELCOME_WITHIN_MS = 10_000;
/** `REFUSAL_CAUSE_OTHER_BYTES` */
const OTHER_BYTES = 1;
const TRY_REFUSED_AGAIN_MS = 60 * 60_000;
/**
 * A stream whose last read was smaller than this has at most this many pending batches: the next one collects
 * more.
 */
const TRICKLE_BYTES = 128 * 1024;
const TRICKLE_BATCHES = 2;

/** Written messages are the collector's main garbage, as large as its files. */
const collectGarbageAfter = minorGcEvery(4 * 1024 * 1024);

export interface CollectorIdentity {
  /** 16 bytes, created once, kept in the state. */
  readonly collectorId: Buffer;
  /** Random for each start. */
  readonly instance: bigint;
  readonly software: string;
  readonly host: string;
}

export interface PublishSessionOptions {
  readonly call: PublishStream;
  readonly address: string;
  readonly identity: CollectorIdentity;
  readonly compression: CompressionName;
  readonly streams: ReadonlyMap<StreamId, PublishedStream>;
  /** The stream gets no more bytes, and all of it is accepted. */
  readonly finished: (stream: PublishedStream) => void;
  readonly events: PublisherEvents;
  readonly clock: Clock;
  /** If present, the aggregator is requested to report with its answers how many records it has not delivered. */
  readonly undelivered?: ((records: number) => void) | undefined;
}

export interface SessionEnd {
  readonly reason: string;
  readonly welcomed: boolean;
  /** A batch was accepted: the aggregator works. */
  readonly fruitful: boolean;
  /** A newer call with this collector's id has begun: another process has a copy of its state. */
  readonly replaced: boolean;
}

type StreamOpenedMessage = Extract<PublishResponse['message'], { $case: 'streamOpened' }>['value'];
