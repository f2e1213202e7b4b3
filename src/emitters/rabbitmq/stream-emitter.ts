import { setImmediate as turn } from 'node:timers/promises';
import type { Batch } from '../../records/batch.ts';
import type { Range } from '../../records/position.ts';
import type { QueuePlace } from '../../records/queue-place.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { errorMessage } from '../../runtime/error-message.ts';
import { StreamPublisher } from '../../transport/rabbitmq/stream-publisher.ts';
import type { TransportFailure } from '../../transport/transport.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Rejected, type Retry, rejected, retry } from '../outcome.ts';
import { brokerLogin } from './broker-login.ts';
import { CHANGED, isChanged } from './changed-batch.ts';
import type { RabbitmqConfiguration } from './configuration.ts';
import { RABBITMQ_EVENTS, type RabbitmqEvents } from './events.ts';
import { messageSettings } from './message-settings.ts';
import type { MessageSettings } from './outgoing-messages.ts';
import { ProducerIdentity } from './producer-identity.ts';
import { entryOfPublishingId, recordsAfter } from './publishing-id.ts';
import { ReplaceablePublisher } from './replaceable-publisher.ts';
import { streamMessages } from './stream-messages.ts';

/**
 * Publishes records to a stream of RabbitMQ, each once.
 *
 * The number of a message is derived from the place of its last record in the queue (`publishing-id.ts`), so a record has
 * the same number after a failure, a crash, and with any cut of the batches. After each connect, the broker
 * returns the last number of the producer, and the emitter skips the records up to it.
 *
 * A dead letter is sent again after newer records, so its number would be too low. It has a producer of its own, whose
 * name contains its position.
 */
export class StreamEmitter implements Emitter {
  readonly #configuration: RabbitmqConfiguration;
  readonly #context: EmitterContext;
  readonly #events: RabbitmqEvents;
  readonly #settings: MessageSettings;
  readonly #identity: ProducerIdentity;
  readonly #publisher: ReplaceablePublisher<StreamPublisher>;
  /** The stream is compared with the queue once: later it has what this process emitted. */
  #isCompared = false;
  #unflushed = 0;

  constructor(configuration: RabbitmqConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = RABBITMQ_EVENTS.open({ ...context, labels: { emitter: context.name } });
    this.#settings = messageSettings(configuration);
    this.#identity = new ProducerIdentity(context);
    this.#publisher = new ReplaceablePublisher({
      create: () => this.#createPublisher(),
      onReplaceFailed: (reason) => this.#events.reopenFailed({ reason }),
    });
  }

  /** Does not connect: the first batch does. */
  async start(): Promise<void> {
    await this.#publisher.start();
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    if (this.#settings.body === 'record-batch' && batch.slices.some(isChanged)) return retry(CHANGED);
    const publisher = await this.#publisher.current(this.#unflushed === 0);
    if (publisher === undefined) return retry('the emitter is not started');
    let first = 0;
    for (const slice of batch.slices) {
      const problem = await this.#publish(publisher, slice, signal);
      if (problem?.kind === 'rejected') return inBatch(problem, first);
      if (problem !== undefined) return problem;
      first += slice.sizes.length;
    }
    return DELIVERED;
  }

  async flush(signal: AbortSignal): Promise<FlushOutcome> {
    const publisher = this.#publisher.now;
    const failure = await publisher?.flush(signal);
    if (failure !== undefined && publisher !== undefined) return this.#failed(publisher, failure);
    this.#events.confirmed({ messages: this.#unflushed });
    this.#unflushed = 0;
    const { state } = this.#identity;
    return state === undefined ? DELIVERED : { ...DELIVERED, state };
  }

  async committed(): Promise<void> {
    try {
      await this.#identity.committed();
    } catch (error) {
      // Tried again after the next flush: the state and the file have the same name in any case.
      this.#events.producerNotWritten({ reason: errorMessage(error) });
    }
  }

  /** Reads the certificates again before the first message after the next flush. */
  async reopen(): Promise<void> {
    this.#publisher.reopen();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await this.#publisher.stop(deadline);
    this.#events.flush();
  }

  async #publish(
    publisher: StreamPublisher,
    slice: RecordBatch,
    signal: AbortSignal,
  ): Promise<Retry | Rejected | undefined> {
    const place = slice.place ?? placeOfDeadLetter(slice);
    const opening = await this.#use(publisher, slice, signal);
    if (opening.kind === 'failed') return this.#failed(publisher, opening.failure);
    const unsent = recordsAfter(slice, place, opening.last);
    const skipped = slice.sizes.length - (unsent?.sizes.length ?? 0);
    if (skipped > 0) this.#events.alreadyStored({ records: skipped });
    if (unsent === undefined) return undefined;
    return await this.#publishUnsent(publisher, { slice, unsent, place }, signal);
  }

  async #publishUnsent(
    publisher: StreamPublisher,
    { slice, unsent, place }: Unsent,
    signal: AbortSignal,
  ): Promise<Retry | Rejected | undefined> {
    const { frameBytes } = publisher;
    for (const part of streamMessages(unsent, { settings: this.#settings, place, frameBytes })) {
      if (part.kind === 'too-large') return tooLarge(slice, part.record, { bytes: part.bytes, frameBytes });
      const failure = await publisher.publish(part.messages, signal);
      if (failure !== undefined) return this.#failed(publisher, failure);
      this.#unflushed += part.messages.length;
      // Converting many small records must not block the event loop.
      if (part.messages.length > 1) await turn();
    }
    return undefined;
  }

  async #use(publisher: StreamPublisher, slice: RecordBatch, signal: AbortSignal): Promise<Used> {
    try {
      if (!this.#isCompared) await this.#compare(publisher, signal);
      const producer = await this.#identity.producer();
      const name = slice.place === undefined ? `${producer}/${slice.stream}/${slice.start}` : producer;
      return await publisher.use(name, signal);
    } catch (error) {
      return { kind: 'failed', failure: { reason: errorMessage(error) } };
    }
  }

  /**
   * Everything that an earlier process published was in the queue before this process began. If the stream has more, the
   * queue is an older copy of itself: its numbers begin to be used for other records, which the broker would drop.
   */
  async #compare(publisher: StreamPublisher, signal: AbortSignal): Promise<void> {
    const opening = await publisher.use(await this.#identity.producer(), signal);
    if (opening.kind === 'failed') return;
    const { nextEntry = Number.POSITIVE_INFINITY } = this.#context;
    if (entryOfPublishingId(opening.last) >= nextEntry) {
      await this.#identity.renew();
      this.#events.producerRenewed({ stream: this.#configuration.queue ?? '' });
    }
    this.#isCompared = true;
  }

  #failed(publisher: StreamPublisher, { reason }: TransportFailure): Retry {
    this.#unflushed = 0;
    this.#events.failed();
    return { ...retry(`${publisher.address}: ${reason}`), rolledBack: true };
  }

  async #createPublisher(): Promise<StreamPublisher> {
    const { queue = '', queue_type, max_bytes, window, confirm_timeout } = this.#configuration;
    const limits = max_bytes === undefined ? {} : { 'max-length-bytes': String(max_bytes) };
    return new StreamPublisher({
      login: await brokerLogin(this.#configuration, this.#context.name),
      stream: queue,
      creation: queue_type === 'existing' ? undefined : limits,
      clock: this.#context.clock,
      windowBytes: window,
      answerTimeoutMs: confirm_timeout,
    });
  }
}

type Used = Awaited<ReturnType<StreamPublisher['use']>>;

interface Unsent {
  readonly slice: RecordBatch;
  /** Its records that the stream does not have. */
  readonly unsent: RecordBatch;
  readonly place: QueuePlace;
}

/** The producer of a dead letter numbers only this one. */
function placeOfDeadLetter({ start }: RecordBatch): QueuePlace {
  return { entry: 0, start };
}

function tooLarge(
  slice: RecordBatch,
  record: Range,
  { bytes, frameBytes }: { readonly bytes: number; readonly frameBytes: number },
): Rejected {
  const reason = `a message of ${bytes} bytes does not fit into a frame: "stream.frame_max" of the broker is ${frameBytes}`;
  let end = slice.start;
  const index = slice.sizes.findIndex((size) => {
    end += size;
    return end >= record.end;
  });
  return rejected(reason, [index]);
}

function inBatch({ reason, records = [] }: Rejected, first: number): Rejected {
  return rejected(
    reason,
    records.map((index) => first + index),
  );
}
