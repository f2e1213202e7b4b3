import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { CHECK_WINDOW_BYTES, type Check, checkOf, checkToBytes } from '../../records/check.ts';
import { type ChecksumPair, checksumToMessage } from '../../records/checksum-codec.ts';
import type {
  FinalStream,
  Hello,
  OpenStream,
  PublishResponse,
  StreamOpened,
} from '../../records/gen/megacollector/v1/aggregator.ts';
import { LIMITS } from '../../records/limits.ts';
import type { Position } from '../../records/position.ts';
import type { IncomingRequest, WireBatch } from '../../records/publish-codec.ts';
import { contiguousEnd } from '../../records/ranges.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { compareChecksums, extendChecksum } from '../../records/running-checksum.ts';
import { STREAM_ID_BYTES, type StreamId, streamIdFromBytes } from '../../records/stream-id.ts';
import { decodeRecordBatch } from '../../records/wire.ts';
import { WireError } from '../../records/wire-error.ts';
import type { Cancel, Clock } from '../../runtime/clock.ts';
import {
  BatchRefusedError,
  type Ledger,
  OtherBytesError,
  type QueueWriter,
  type StreamOpening,
  type StreamOwner,
} from '../../storage/queue/queue-contract.ts';
import { CallStreams } from './call-streams.ts';
import type { CollectorInstances } from './collector-instances.ts';
import type { CallPeer, IntakeEvents } from './events.ts';
import type { SharedLimit } from './shared-limit.ts';
import type { StreamsUnderWay } from './streams-under-way.ts';
import type { UnansweredBudget } from './unanswered-budget.ts';

export type PublishStream = ServerDuplexStream<IncomingRequest, PublishResponse>;

/** What a call needs of the room it is in. */
export interface PublishCallContext {
  readonly queue: QueueWriter;
  readonly ledger: Ledger;
  readonly budget: UnansweredBudget;
  readonly events: IntakeEvents;
  readonly software: string;
  readonly streamsPerCall: number;
  readonly openStreams: SharedLimit;
  readonly underWay: StreamsUnderWay;
  readonly instances: CollectorInstances;
  readonly clock: Clock;
  /** How many queued records the slowest emitter has not delivered. */
  readonly undeliveredRecords?: (() => number) | undefined;
  /** Makes this the call of its collector; returns why it may not be. An older call of the same collector is ended. */
  claim(call: PublishCall): string | undefined;
  release(call: PublishCall): void;
}

type KnownStream = StreamOpening & { readonly kind: 'known' };

export const PROTOCOL_VERSION = 1;

/** `RefusalCause` */
const UNSPECIFIED = 0;
const OTHER_BYTES = 1;

const TOO_MANY_STREAMS = 'too many streams are open';
const HELLO_WITHIN_MS = 10_000;
/** A peer that sends small messages without end must leave turns to the others. */
const MESSAGES_PER_TURN = 256;
/** Refusals without an accepted batch between them. An honest collector has one for each of its streams. */
const REFUSED_BATCHES = 1_000;
const REFUSED_STREAMS = 16_384;
/** No stream has it as the check of its end. */
const NO_CHECK = Buffer.alloc(8);

/**
 * One Publish call: what one collector says, in order, and our answers.
 *
 *     (hello) -> open_stream* / batch* / final_stream* -> end
 *
 * Reading stops (and HTTP/2 holds the peer back) while intake is stopped, while too many bytes wait for their commit
 * on this call or on all together, and while the peer does not read our answers. A message that has been read is held
 * until it may be taken; so a call holds at most one message more than the limit. After some hundred messages in one turn
 * of the event loop the call waits for the next turn. A call without a hello, or with nothing but refusals, ends.
 */
export class PublishCall {
  readonly #stream: PublishStream;
  readonly #context: PublishCallContext;
  readonly #streams: CallStreams;
  #peer: CallPeer;
  #collectorId: string | undefined;
  #owner: StreamOwner = { collectorId: '', tlsSubject: undefined };
  #instance = 0n;
  readonly #cancelHelloDeadline: Cancel;
  #lastSequence = 0;
  #unansweredBytes = 0;
  #appending = 0;
  #held: IncomingRequest | undefined;
  #accepted: bigint[] = [];
  #wantsUndelivered = false;
  #ended = false;
  #peerDone = false;
  #waitingForRoom = false;
  #waitingForDrain = false;
  #opening = 0;
  #takenThisTurn = 0;
  #refusedBatches = 0;
  #refusedStreams = 0;

  constructor(stream: PublishStream, context: PublishCallContext) {
    this.#stream = stream;
    this.#context = context;
    this.#streams = new CallStreams(context.streamsPerCall, context.openStreams);
    const tlsSubject = subjectOf(stream);
    this.#peer = { peer: stream.getPeer(), ...(tlsSubject === undefined ? {} : { tlsSubject }) };
    context.events.callBegun(this.#peer);
    this.#cancelHelloDeadline = context.clock.after(HELLO_WITHIN_MS, () => {
      if (this.#collectorId === undefined) this.end(status.DEADLINE_EXCEEDED, 'no hello came');
    });
    stream.on('data', (request: IncomingRequest) => this.#receive(request));
    stream.on('end', () => this.#receiveEnd());
    stream.on('cancelled', () => this.#finish('cancelled by the peer'));
    stream.on('error', (error: Error) => this.#finish(error.message));
    stream.on('close', () => this.#finish('closed'));
    stream.on('drain', () => {
      this.#waitingForDrain = false;
      this.#goOn();
    });
  }

  get collectorId(): string | undefined {
    return this.#collectorId;
  }

  get instance(): bigint {
    return this.#instance;
  }

  get peer(): CallPeer {
    return this.#peer;
  }

  get tlsSubject(): string | undefined {
    return this.#peer.tlsSubject;
  }

  /** Ends the call; what was appended stays, what was held is dropped and will be sent again. */
  end(code: status, reason: string): void {
    if (this.#ended) return;
    this.#sendAccepted();
    this.#finish(reason);
    // Not 'error' by emit alone: grpc-js turns this into the trailers of the call.
    this.#stream.emit('error', { code, details: reason });
  }

  /** Takes nothing more, waits for the commits under way, answers them, and ends. */
  async drain(reason: string): Promise<void> {
    this.#stream.pause();
    this.#held = undefined;
    while (this.#appending > 0 && !this.#ended) await new Promise((resolve) => setTimeout(resolve, 5));
    this.end(status.UNAVAILABLE, reason);
  }

  /** Intake has stopped (say so) or goes on. Called at each change, and every 10 s while stopped. */
  intakeChanged(stopped: string | undefined): void {
    if (this.#ended || this.#collectorId === undefined) return;
    if (stopped === undefined) this.#goOn();
    else this.#send({ $case: 'busy', value: { reason: stopped } });
  }

  #receive(request: IncomingRequest): void {
    if (this.#ended) return;
    if (this.#held !== undefined || !this.#mayTake(request)) {
      // 'data' stops at once, so nothing but this one message is ever held.
      this.#held = request;
      this.#stream.pause();
      return;
    }
    this.#take(request);
  }

  #mayTake(request: IncomingRequest): boolean {
    if (this.#waitingForDrain || this.#takenThisTurn >= MESSAGES_PER_TURN) return false;
    if (request.kind !== 'batch' || this.#collectorId === undefined) return true;
    if (this.#context.queue.stopped !== undefined) return false;
    if (this.#unansweredBytes >= LIMITS.unansweredBytes) return false;
    if (this.#context.budget.hasRoom) return true;
    if (!this.#waitingForRoom) {
      this.#waitingForRoom = true;
      this.#context.budget.whenRoom(() => {
        this.#waitingForRoom = false;
        this.#goOn();
      });
    }
    return false;
  }

  #goOn(): void {
    if (this.#ended || this.#held === undefined || !this.#mayTake(this.#held)) return;
    const request = this.#held;
    this.#held = undefined;
    this.#take(request);
    if (!this.#ended) this.#stream.resume();
    this.#endWhenAnswered();
  }

  #take(request: IncomingRequest): void {
    if (this.#takenThisTurn++ === 0) {
      setImmediate(() => {
        this.#takenThisTurn = 0;
        this.#goOn();
      });
    }
    if (request.kind === 'invalid') this.#protocolBroken(request.reason);
    else if (request.kind === 'batch') this.#takeBatch(request.batch);
    else if (request.message.$case === 'hello') this.#takeHello(request.message.value);
    else if (this.#collectorId === undefined) this.#protocolBroken('the first message is not a hello');
    else if (request.message.$case === 'openStream') this.#takeOpenStream(request.message.value);
    else if (request.message.$case === 'finalStream') this.#takeFinalStream(request.message.value);
  }

  #takeHello(hello: Hello): void {
    if (this.#collectorId !== undefined) return this.#protocolBroken('a second hello');
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      return this.end(
        status.FAILED_PRECONDITION,
        `this aggregator speaks protocol version ${PROTOCOL_VERSION}, the collector ${hello.protocolVersion}`,
      );
    }
    if (hello.collectorId.length !== 16) return this.#protocolBroken('collector_id has not 16 bytes');
    this.#collectorId = hello.collectorId.toString('hex');
    this.#instance = hello.instance;
    this.#wantsUndelivered = hello.wantsUndelivered === true;
    this.#owner = { collectorId: this.#collectorId, tlsSubject: this.#peer.tlsSubject };
    this.#peer = { ...this.#peer, collectorId: this.#collectorId, host: hello.host.slice(0, 255) };
    const objection = this.#context.claim(this);
    if (objection !== undefined) return this.end(status.PERMISSION_DENIED, objection);
    this.#send({
      $case: 'welcome',
      value: {
        protocolVersion: PROTOCOL_VERSION,
        compressions: [1],
        limits: {
          messageBytes: LIMITS.messageBytes,
          batchBytes: LIMITS.batchBytes,
          batchRecords: LIMITS.batchRecords,
          recordBytes: LIMITS.recordBytes,
          unansweredBytes: LIMITS.unansweredBytes,
        },
        software: this.#context.software,
      },
    });
    this.intakeChanged(this.#context.queue.stopped);
  }

  #takeOpenStream({ stream: bytes, accepted }: OpenStream): void {
    const stream = streamIdFromBytes(bytes);
    if (stream === undefined) return this.#protocolBroken(`a stream id has not ${STREAM_ID_BYTES} bytes`);
    if (accepted > BigInt(Number.MAX_SAFE_INTEGER)) return this.#protocolBroken('a position is out of range');
    if (!this.#streams.open(stream)) return this.#refuseToOpen(stream, TOO_MANY_STREAMS);
    this.#opening++;
    this.#context.underWay.whenSettled(stream, () => {
      this.#opening--;
      if (!this.#ended) this.#openStream(stream, Number(accepted));
    });
  }

  #openStream(stream: StreamId, accepted: Position): void {
    const opening = this.#context.ledger.open(stream, this.#owner);
    if (opening.kind === 'refused') this.#refuseToOpen(stream, opening.reason);
    else {
      this.#streams.opened(stream, opening.end);
      this.#send({ $case: 'streamOpened', value: this.#answer(stream, opening, accepted) });
    }
    this.#endWhenAnswered();
  }

  #answer(stream: StreamId, opening: KnownStream, accepted: Position): StreamOpened {
    const { end, check, checksum, instance } = opening;
    const answer = {
      stream: Buffer.from(stream, 'hex'),
      end: BigInt(end),
      contiguousEnd: BigInt(contiguousEnd(accepted, this.#context.ledger.ranges(stream))),
      refusal: '',
    };
    if (this.#context.instances.isOfAnother(this.#owner.collectorId, this.#instance, instance))
      return { ...answer, check: NO_CHECK, checksum: undefined };
    return {
      ...answer,
      check: check === undefined ? Buffer.alloc(0) : checkToBytes(check),
      checksum: checksum && checksumToMessage(checksum),
    };
  }

  #refuseToOpen(stream: StreamId, refusal: string): void {
    this.#streams.refuse(stream, refusal);
    this.#context.events.streamRefused(this.#peer, stream, refusal);
    if (++this.#refusedStreams > REFUSED_STREAMS) return this.#endAfterRefusals();
    this.#send({
      $case: 'streamOpened',
      value: {
        stream: Buffer.from(stream, 'hex'),
        end: 0n,
        check: Buffer.alloc(0),
        checksum: undefined,
        contiguousEnd: 0n,
        refusal,
      },
    });
  }

  #takeFinalStream({ stream: bytes, end }: FinalStream): void {
    const stream = streamIdFromBytes(bytes);
    if (stream === undefined || end > BigInt(Number.MAX_SAFE_INTEGER)) {
      return this.#protocolBroken('a final message does not name a stream and its end');
    }
    const isOwn =
      this.#streams.isOpen(stream) && this.#context.ledger.finish(stream, Number(end), this.#owner);
    if (isOwn) this.#streams.forget(stream);
    else this.#refuseFinal(stream);
  }

  /** There is no answer to this message: the log and the counter have it. */
  #refuseFinal(stream: StreamId): void {
    this.#context.events.finalRefused(this.#peer, stream);
    if (++this.#refusedStreams > REFUSED_STREAMS) this.#endAfterRefusals();
  }

  #endAfterRefusals(): void {
    const reason = 'too many refusals on one call';
    this.#context.events.protocolBroken(this.#peer, reason);
    this.end(status.RESOURCE_EXHAUSTED, reason);
  }

  #takeBatch({ sequence, endCheck, checksums, records: encoded }: WireBatch): void {
    if (this.#collectorId === undefined) return this.#protocolBroken('the first message is not a hello');
    if (sequence !== this.#lastSequence + 1) {
      return this.#protocolBroken(`batch ${sequence} follows batch ${this.#lastSequence}`);
    }
    this.#lastSequence = sequence;
    const batch = decode(encoded);
    if (typeof batch === 'string') return this.#refuse(sequence, undefined, batch);
    const objection =
      wrongCheck(batch, endCheck) ?? wrongChecksums(batch, checksums) ?? this.#streams.objection(batch);
    if (objection !== undefined) return this.#refuse(sequence, batch.stream, objection);
    const openedEnd = this.#streams.openedEnd(batch.stream);
    const writer = { owner: this.#owner, instance: this.#instance, openedEnd };
    this.#append(sequence, batch, () =>
      this.#context.queue.append({ batch, encoded, endCheck, checksums, writer }),
    );
  }

  #append(sequence: number, batch: RecordBatch, append: () => Promise<void>): void {
    const bytes = batch.data.length;
    this.#context.events.batchReceived(batch.sizes.length, bytes);
    this.#appending++;
    this.#unansweredBytes += bytes;
    this.#context.budget.take(bytes);
    this.#context.underWay.begin(batch.stream);
    if (this.#unansweredBytes >= LIMITS.unansweredBytes) this.#stream.pause();
    append()
      .then(
        () => this.#accept(sequence),
        (error: Error) => {
          if (error instanceof BatchRefusedError) this.#refuse(sequence, batch.stream, error);
          // Nothing of it was kept. The collector keeps it, comes back, and is then told (busy) or served.
          else this.end(status.UNAVAILABLE, `the batch could not be stored: ${error.message}`);
        },
      )
      .finally(() => {
        this.#appending--;
        this.#context.underWay.end(batch.stream);
        this.#unansweredBytes -= bytes;
        this.#context.budget.give(bytes);
        if (this.#ended) return;
        if (this.#held === undefined) this.#stream.resume();
        else this.#goOn();
        this.#endWhenAnswered();
      });
  }

  /** One group commit accepts many batches: they are answered in one message. */
  #accept(sequence: number): void {
    this.#refusedBatches = 0;
    this.#refusedStreams = 0;
    this.#accepted.push(BigInt(sequence));
    if (this.#accepted.length === 1) setImmediate(() => this.#sendAccepted());
  }

  #sendAccepted(): void {
    if (this.#accepted.length === 0 || this.#ended) return;
    const sequences = this.#accepted;
    this.#accepted = [];
    const undelivered = this.#wantsUndelivered ? this.#context.undeliveredRecords?.() : undefined;
    const report = undelivered === undefined ? {} : { undeliveredRecords: BigInt(undelivered) };
    this.#send({ $case: 'accepted', value: { sequences, ...report } });
  }

  #refuse(sequence: number, stream: StreamId | undefined, refusal: string | BatchRefusedError): void {
    const reason = typeof refusal === 'string' ? refusal : refusal.message;
    if (stream !== undefined) this.#streams.refuse(stream, reason);
    this.#context.events.batchRefused(this.#peer, stream ?? 'unknown', reason);
    const cause = refusal instanceof OtherBytesError ? OTHER_BYTES : UNSPECIFIED;
    this.#send({ $case: 'refused', value: { sequence: BigInt(sequence), reason, cause } });
    if (++this.#refusedBatches > REFUSED_BATCHES) this.#endAfterRefusals();
  }

  #protocolBroken(reason: string): void {
    this.#context.events.protocolBroken(this.#peer, reason);
    this.end(status.INVALID_ARGUMENT, reason);
  }

  #send(message: NonNullable<PublishResponse['message']>): void {
    if (this.#ended) return;
    if (!this.#stream.write({ message })) this.#waitingForDrain = true;
  }

  #receiveEnd(): void {
    this.#peerDone = true;
    this.#endWhenAnswered();
  }

  #endWhenAnswered(): void {
    if (!this.#peerDone || this.#ended || this.#held !== undefined) return;
    if (this.#appending > 0 || this.#opening > 0) return;
    this.#sendAccepted();
    this.#finish('the collector has ended the call');
    this.#stream.end();
  }

  #finish(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#held = undefined;
    this.#cancelHelloDeadline();
    this.#streams.forgetAll();
    this.#context.release(this);
    this.#context.events.callEnded(this.#peer, reason);
  }
}

function decode(encoded: Uint8Array): RecordBatch | string {
  try {
    return decodeRecordBatch(encoded);
  } catch (error) {
    if (error instanceof WireError) return error.message;
    throw error;
  }
}

/** A batch that holds the whole window of its own end check must agree with it: else its bytes are not what was sent. */
function wrongCheck({ data }: RecordBatch, endCheck: Check): string | undefined {
  if (data.length < CHECK_WINDOW_BYTES || checkOf(data) === endCheck) return undefined;
  return 'the records do not agree with the check of their end';
}

function wrongChecksums(batch: RecordBatch, checksums: ChecksumPair | undefined): string | undefined {
  if (checksums === undefined) return undefined;
  const { start, end } = checksums;
  const isRight =
    start.from <= batch.start && compareChecksums(extendChecksum(start, batch.data), end) === 'same';
  return isRight ? undefined : 'the records do not agree with their checksums';
}

/** The subject of the verified client certificate, as `CN=..., O=...`; undefined without TLS. */
function subjectOf(stream: PublishStream): string | undefined {
  const subject = stream.getAuthContext().sslPeerCertificate?.subject;
  if (subject === undefined) return undefined;
  return Object.entries(subject)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(', ');
}
