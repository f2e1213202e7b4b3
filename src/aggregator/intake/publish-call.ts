import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import { CHECK_WINDOW_BYTES, type Check, checkOf, checkToBytes } from '../../records/check.ts';
import type {
  FinalStream,
  Hello,
  OpenStream,
  PublishResponse,
} from '../../records/gen/megacollector/v1/aggregator.ts';
import { LIMITS } from '../../records/limits.ts';
import type { IncomingRequest, WireBatch } from '../../records/publish-codec.ts';
import { contiguousEnd } from '../../records/ranges.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { STREAM_ID_BYTES, type StreamId, streamIdFromBytes } from '../../records/stream-id.ts';
import { decodeRecordBatch } from '../../records/wire.ts';
import { WireError } from '../../records/wire-error.ts';
import { BatchRefusedError, type Ledger, type QueueWriter } from '../../storage/queue-contract.ts';
import { CallStreams } from './call-streams.ts';
import type { CallPeer, IntakeEvents } from './events.ts';
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
  /** Makes this the call of its collector; returns why it may not be. An older call of the same collector is ended. */
  claim(call: PublishCall): string | undefined;
  release(call: PublishCall): void;
}

export const PROTOCOL_VERSION = 1;

const TOO_MANY_STREAMS = 'too many streams on one call';

/**
 * One Publish call: what one collector says, in order, and our answers.
 *
 *     (hello) -> open_stream* / batch* / final_stream* -> end
 *
 * Reading stops (and HTTP/2 holds the peer back) while intake is stopped, while too many bytes wait for their commit
 * on this call or on all together, and while the peer does not read our answers. A message that has been read is held
 * until it may be taken; so a call holds at most one message more than the limit.
 */
export class PublishCall {
  readonly #stream: PublishStream;
  readonly #context: PublishCallContext;
  readonly #streams: CallStreams;
  #peer: CallPeer;
  #collectorId: string | undefined;
  #lastSequence = 0;
  #unansweredBytes = 0;
  #appending = 0;
  #held: IncomingRequest | undefined;
  #accepted: bigint[] = [];
  #ended = false;
  #peerDone = false;
  #waitingForRoom = false;
  #waitingForDrain = false;
  #saidTooMany = false;

  constructor(stream: PublishStream, context: PublishCallContext) {
    this.#stream = stream;
    this.#context = context;
    this.#streams = new CallStreams(context.streamsPerCall);
    const tlsSubject = subjectOf(stream);
    this.#peer = { peer: stream.getPeer(), ...(tlsSubject === undefined ? {} : { tlsSubject }) };
    context.events.callBegun(this.#peer);
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
    if (this.#waitingForDrain) return false;
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
    if (!this.#streams.open(stream)) return this.#refuseToOpen(stream, TOO_MANY_STREAMS);
    const opening = this.#context.ledger.open(stream, {
      collectorId: this.#collectorId ?? '',
      tlsSubject: this.#peer.tlsSubject,
    });
    if (opening.kind === 'foreign') return this.#refuseToOpen(stream, opening.reason);
    const from = Number(accepted);
    this.#send({
      $case: 'streamOpened',
      value: {
        stream: bytes,
        end: BigInt(opening.end),
        check: opening.check === undefined ? Buffer.alloc(0) : checkToBytes(opening.check),
        contiguousEnd: BigInt(contiguousEnd(from, this.#context.ledger.ranges(stream))),
        refusal: '',
      },
    });
  }

  #refuseToOpen(stream: StreamId, refusal: string): void {
    this.#streams.refuse(stream, refusal);
    // A peer that opens streams without end must not fill our log either.
    if (refusal !== TOO_MANY_STREAMS || !this.#saidTooMany)
      this.#context.events.streamRefused(this.#peer, stream, refusal);
    this.#saidTooMany ||= refusal === TOO_MANY_STREAMS;
    this.#send({
      $case: 'streamOpened',
      value: {
        stream: Buffer.from(stream, 'hex'),
        end: 0n,
        check: Buffer.alloc(0),
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
    this.#context.ledger.finish(stream, Number(end));
    this.#streams.forget(stream);
  }

  #takeBatch({ sequence, endCheck, records: encoded }: WireBatch): void {
    if (this.#collectorId === undefined) return this.#protocolBroken('the first message is not a hello');
    if (sequence !== this.#lastSequence + 1) {
      return this.#protocolBroken(`batch ${sequence} follows batch ${this.#lastSequence}`);
    }
    this.#lastSequence = sequence;
    const batch = decode(encoded);
    if (typeof batch === 'string') return this.#refuse(sequence, undefined, batch);
    const objection = wrongCheck(batch, endCheck) ?? this.#streams.objection(batch);
    if (objection !== undefined) return this.#refuse(sequence, batch.stream, objection);
    this.#append(sequence, batch, () => this.#context.queue.append({ batch, encoded, endCheck }));
  }

  #append(sequence: number, batch: RecordBatch, append: () => Promise<void>): void {
    const bytes = batch.data.length;
    this.#context.events.batchReceived(batch.sizes.length, bytes);
    this.#appending++;
    this.#unansweredBytes += bytes;
    this.#context.budget.take(bytes);
    if (this.#unansweredBytes >= LIMITS.unansweredBytes) this.#stream.pause();
    append()
      .then(
        () => this.#accept(sequence),
        (error: Error) => {
          if (error instanceof BatchRefusedError) this.#refuse(sequence, batch.stream, error.message);
          // Nothing of it was kept. The collector keeps it, comes back, and is then told (busy) or served.
          else this.end(status.UNAVAILABLE, `the batch could not be stored: ${error.message}`);
        },
      )
      .finally(() => {
        this.#appending--;
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
    this.#accepted.push(BigInt(sequence));
    if (this.#accepted.length === 1) setImmediate(() => this.#sendAccepted());
  }

  #sendAccepted(): void {
    if (this.#accepted.length === 0 || this.#ended) return;
    const sequences = this.#accepted;
    this.#accepted = [];
    this.#send({ $case: 'accepted', value: { sequences } });
  }

  #refuse(sequence: number, stream: StreamId | undefined, reason: string): void {
    if (stream !== undefined) this.#streams.refuse(stream, reason);
    this.#context.events.batchRefused(this.#peer, stream ?? 'unknown', reason);
    this.#send({ $case: 'refused', value: { sequence: BigInt(sequence), reason } });
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
    if (!this.#peerDone || this.#ended || this.#appending > 0 || this.#held !== undefined) return;
    this.#sendAccepted();
    this.#finish('the collector has ended the call');
    this.#stream.end();
  }

  #finish(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#held = undefined;
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

/** The subject of the verified client certificate, as `CN=..., O=...`; undefined without TLS. */
function subjectOf(stream: PublishStream): string | undefined {
  const subject = stream.getAuthContext().sslPeerCertificate?.subject;
  if (subject === undefined) return undefined;
  return Object.entries(subject)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(', ');
}
