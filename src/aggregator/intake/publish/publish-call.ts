import type { Hello } from '../../../records/gen/megacollector/v1/aggregator.ts';
import type { IncomingRequest, WireBatch } from '../../../records/publish-codec.ts';
import type { RecordBatch } from '../../../records/record-batch.ts';
import type { StreamId } from '../../../records/stream-id.ts';
import { Timer } from '../../../runtime/async/timer.ts';
import type { Cancel } from '../../../runtime/clock.ts';
import type { IncomingBatch } from '../../../storage/queue/queue-contract.ts';
import type { CollectorConnection } from '../activity/collector-register.ts';
import type { CallPeer } from '../events.ts';
import type { IntakeContext } from '../intake.ts';
import { type ReceivedBatch, verifyBatch } from '../verify-batch.ts';
import { BatchAnswers } from './batch-answers.ts';
import { CallStreams } from './call-streams.ts';
import type { CollectorInstances } from './collector-instances.ts';
import { type ConnectedCollector, connectedCollector } from './connected-collector.ts';
import { ExplainRequests } from './explain-requests.ts';
import { MessageAdmission } from './message-admission.ts';
import { type MessageMemory, SMALL_MESSAGE_BYTES } from './message-memory.ts';
import type { CallFailure, PublishAnswer, PublishReceiver, PublishTransport } from './publish-transport.ts';
import { RequestGate } from './request-gate.ts';
import type { SharedLimit } from './shared-limit.ts';
import { StreamRequests } from './stream-requests.ts';
import { UnansweredBatches } from './unanswered-batches.ts';
import { welcome } from './welcome.ts';

export interface PublishCallContext extends IntakeContext {
  readonly streamsPerCall: number;
  readonly openStreams: SharedLimit;
  readonly memory: MessageMemory;
  readonly instances: CollectorInstances;
  /** Makes this the call of its collector, and ends an older one. Returns why it may not be. */
  readonly claim: (call: PublishCall, collector: ConnectedCollector) => string | undefined;
  /** The call has ended. */
  readonly release: (call: PublishCall) => void;
}

const HELLO_WITHIN_MS = 10_000;
/** A message that is not processed meanwhile uses memory that all calls share. */
const READ_WITHIN_MS = 60_000;

/**
 * The aggregator's side of one Publish call: the requests of one collector, in order, and the answers.
 *
 *     hello -> (open_stream | batch | final_stream)* -> end
 *
 * The call is not read while the queue is stopped, while too many bytes wait for their commit on this call or on all
 * together, while the messages of all calls use their memory, and while the peer does not read its answers; the transport
 * then holds the peer back. A call without a hello, with nothing but refusals, or with a peer that reads no answers for a
 * minute, ends.
 */
export class PublishCall implements PublishReceiver {
  readonly #transport: PublishTransport;
  readonly #context: PublishCallContext;
  readonly #streams: CallStreams;
  readonly #streamRequests: StreamRequests;
  readonly #admission: MessageAdmission;
  readonly #gate: RequestGate;
  readonly #answers: BatchAnswers;
  readonly #unanswered = new UnansweredBatches();
  readonly #explains: ExplainRequests;
  readonly #cancelHelloDeadline: Cancel;
  readonly #unreadTimer: Timer;
  /** undefined before the hello message. */
  #collector: ConnectedCollector | undefined;
  /** For operators. */
  #connection: CollectorConnection | undefined;
  #lastSequence = 0;
  #waitsForRoom = false;
  #peerHasEnded = false;
  #hasEnded = false;

  constructor(transport: PublishTransport, context: PublishCallContext) {
    this.#transport = transport;
    this.#context = context;
    const send = (answer: PublishAnswer) => this.#send(answer);
    this.#answers = new BatchAnswers(send);
    this.#streams = new CallStreams(context.streamsPerCall, context.openStreams);
    const onAnswered = () => this.#endWhenAnswered();
    this.#streamRequests = new StreamRequests({ context, streams: this.#streams, send, onAnswered });
    this.#explains = new ExplainRequests({ ...context, send: (value) => send({ $case: 'explain', value }) });
    this.#admission = new MessageAdmission({
      memory: context.memory,
      host: transport.host,
      acceptsBatches: () => this.#acceptsBatches(),
      resume: () => transport.resume(),
    });
    this.#gate = new RequestGate({
      transport,
      mayProcess: (request) => this.#mayProcess(request),
      process: (request) => this.#process(request),
    });
    this.#cancelHelloDeadline = context.clock.after(HELLO_WITHIN_MS, () => {
      if (this.#collector === undefined)
        this.fail('no-hello', `no hello message arrived within ${HELLO_WITHIN_MS / 1000} s`);
    });
    this.#unreadTimer = new Timer(context.clock, () =>
      this.fail('unavailable', `the answers were not read within ${READ_WITHIN_MS / 1000} s`),
    );
    context.events.callBegun(this.peer);
  }

  get peer(): CallPeer {
    if (this.#collector !== undefined) return this.#collector.peer;
    const { peer, tlsSubject } = this.#transport;
    return { peer, ...(tlsSubject !== undefined && { tlsSubject }) };
  }

  mayReceive(bytes: number): boolean {
    // A call has one hello, which is never held.
    const isHello = this.#collector === undefined && bytes <= SMALL_MESSAGE_BYTES;
    return isHello || this.#admission.mayReceive(bytes);
  }

  receive(request: IncomingRequest): void {
    this.#gate.receive(request);
  }

  drained(): void {
    this.#unreadTimer.cancel();
    this.#gate.drained();
  }

  peerEnded(): void {
    this.#peerHasEnded = true;
    this.#endWhenAnswered();
  }

  closed(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#gate.close();
    this.#admission.close();
    this.#streamRequests.close();
    this.#cancelHelloDeadline();
    this.#unreadTimer.cancel();
    this.#explains.end();
    this.#connection?.ended();
    this.#context.release(this);
    this.#context.events.callEnded({ ...this.peer, reason });
  }

  /** Ends the call. The outcomes that are known are sent; the collector sends the other batches again. */
  fail(failure: CallFailure, reason: string): void {
    if (this.#hasEnded) return;
    this.#answers.flush();
    this.closed(reason);
    this.#transport.fail(failure, reason);
  }

  /** Processes no more requests, waits for the outcomes of the batches, answers them, and ends the call. */
  async drain(reason: string): Promise<void> {
    this.#gate.close();
    this.#admission.close();
    this.#transport.pause();
    await this.#unanswered.whenEmpty();
    this.fail('unavailable', reason);
  }

  /** The queue has stopped, is still stopped, or accepts records again (undefined). */
  queueChanged(stopped: string | undefined): void {
    if (this.#collector === undefined) return;
    if (stopped === undefined) this.#proceed();
    else this.#send({ $case: 'busy', value: { reason: stopped } });
  }

  #mayProcess(request: IncomingRequest): boolean {
    return request.kind !== 'batch' || this.#collector === undefined || this.#acceptsBatches();
  }

  #acceptsBatches(): boolean {
    const { queue, batches } = this.#context;
    if (queue.stopped !== undefined || this.#unanswered.isFull) return false;
    if (!batches.hasRoom) this.#proceedWhenRoom();
    return batches.hasRoom;
  }

  #proceed(): void {
    this.#gate.proceed();
    this.#admission.proceed();
  }

  #proceedWhenRoom(): void {
    if (this.#waitsForRoom) return;
    this.#waitsForRoom = true;
    this.#context.batches.whenRoom(() => {
      this.#waitsForRoom = false;
      this.#proceed();
    });
  }

  #process(request: IncomingRequest): void {
    const problem = this.#problemOf(request);
    // The queue counts the batch from now on.
    this.#admission.processed();
    if (problem !== undefined) this.#failProtocol('protocol-broken', problem);
    else if (this.#answers.hasTooManyRefusals || this.#streamRequests.hasTooManyRefusals)
      this.#failProtocol('too-many-refusals', TOO_MANY_REFUSALS);
    // The request may have been held until after the peer had ended its side.
    else this.#endWhenAnswered();
  }

  /** Processes a request. Returns why it breaks the protocol. */
  #problemOf(request: IncomingRequest): string | undefined {
    if (request.kind === 'invalid') return request.reason;
    if (request.kind === 'control' && request.message.$case === 'hello')
      return this.#hello(request.message.value);
    const collector = this.#collector;
    this.#connection?.seen();
    if (collector === undefined) return 'the first message must be a hello';
    if (request.kind === 'batch') return this.#batch(request.batch, collector);
    const { message } = request;
    if (message.$case === 'openStream') return this.#streamRequests.open(message.value, collector);
    if (message.$case === 'finalStream') return this.#streamRequests.finish(message.value, collector);
    if (message.$case === 'statusReport') this.#connection?.report(message.value);
    if (message.$case === 'explanation') this.#explains.answered(message.value);
    return undefined;
  }

  #hello(hello: Hello): string | undefined {
    if (this.#collector !== undefined) return 'a second hello message';
    const result = connectedCollector(hello, this.peer);
    if (result.kind === 'collector') this.#connect(result);
    else if (result.failure === 'protocol-broken') return result.reason;
    else this.fail(result.failure, result.reason);
    return undefined;
  }

  #connect(collector: ConnectedCollector): void {
    this.#collector = collector;
    const { claim, queue, undeliveredRecords } = this.#context;
    const refusal = claim(this, collector);
    if (refusal !== undefined) return this.fail('not-permitted', refusal);
    const { host, software, owner, peer, explains } = collector;
    this.#connection = this.#context.collectors.connect({
      id: owner.collectorId,
      host,
      software,
      address: peer.peer,
      explains,
      explain: (subject) => this.#explains.ask(subject),
    });
    if (collector.wantsUndelivered) this.#answers.reportUndelivered(undeliveredRecords);
    this.#send({ $case: 'welcome', value: welcome(this.#context.software) });
    if (queue.stopped !== undefined) this.queueChanged(queue.stopped);
  }

  #batch({ sequence, ...received }: WireBatch, collector: ConnectedCollector): string | undefined {
    if (sequence !== this.#lastSequence + 1) return `batch ${sequence} follows batch ${this.#lastSequence}`;
    this.#lastSequence = sequence;
    const verified = verifyBatch(received);
    if (verified.kind === 'invalid') this.#refuse(sequence, verified);
    else {
      const { stream } = verified.batch;
      const reason = this.#streams.add(verified.batch);
      if (reason !== undefined) this.#refuse(sequence, { stream, reason });
      else void this.#accept(sequence, this.#incoming(received, verified.batch, collector));
    }
    return undefined;
  }

  #incoming(
    { records: encoded, endCheck, checksums }: ReceivedBatch,
    batch: RecordBatch,
    { owner, instance }: ConnectedCollector,
  ): IncomingBatch {
    const writer = { owner, instance, openedEnd: this.#streams.openedEnd(batch.stream) };
    return { batch, encoded, endCheck, checksums, writer };
  }

  async #accept(sequence: number, incoming: IncomingBatch): Promise<void> {
    const { stream, data } = incoming.batch;
    this.#unanswered.begin(data.length);
    if (this.#unanswered.isFull) this.#transport.pause();
    const outcome = await this.#context.batches.accept(incoming);
    if (outcome.kind === 'refused') this.#refuse(sequence, { stream, ...outcome });
    else if (outcome.kind === 'failed')
      this.fail('unavailable', `the batch could not be stored: ${outcome.reason}`);
    else {
      this.#streamRequests.forgetRefusals();
      this.#answers.accepted(sequence);
    }
    this.#unanswered.end(data.length);
    this.#gate.resume();
    this.#endWhenAnswered();
  }

  #refuse(sequence: number, { stream, reason, hasOtherBytes = false }: RefusedBatch): void {
    if (stream !== undefined) this.#streams.refuse(stream, reason);
    this.#context.events.batchRefused({ ...this.peer, stream: stream ?? 'unknown', reason });
    this.#answers.refused(sequence, { reason, hasOtherBytes });
  }

  #failProtocol(failure: CallFailure, reason: string): void {
    this.#context.events.protocolBroken({ ...this.peer, reason });
    this.fail(failure, reason);
  }

  #send(answer: PublishAnswer): void {
    if (this.#hasEnded || this.#transport.send(answer)) return;
    this.#gate.waitForDrain();
    this.#unreadTimer.setIfUnset(READ_WITHIN_MS);
  }

  #endWhenAnswered(): void {
    if (!this.#peerHasEnded || this.#hasEnded || this.#gate.holdsRequest) return;
    if (this.#unanswered.count > 0 || this.#streamRequests.waiting > 0) return;
    this.#answers.flush();
    this.closed('the collector has ended the call');
    this.#transport.end();
  }
}

const TOO_MANY_REFUSALS = 'too many refusals on one call';

interface RefusedBatch {
  /** undefined: the batch cannot be decoded. */
  readonly stream: StreamId | undefined;
  readonly reason: string;
  readonly hasOtherBytes?: boolean;
}
