import { setImmediate as turn } from 'node:timers/promises';
import type { Batch } from '../../records/batch.ts';
import type { RecordBatch } from '../../records/record-batch.ts';
import { BrokerConnector } from '../../transport/rabbitmq/broker-connection.ts';
import { ConfirmedPublisher } from '../../transport/rabbitmq/confirmed-publisher.ts';
import type { TransportFailure } from '../../transport/transport.ts';
import type { Emitter, EmitterContext, FlushOutcome } from '../emitter.ts';
import { DELIVERED, type Outcome, type Retry, retry } from '../outcome.ts';
import { SentRecords } from '../sent-records.ts';
import { brokerLogin, topologyOf } from './broker-login.ts';
import { CHANGED, isChanged } from './changed-batch.ts';
import type { RabbitmqConfiguration } from './configuration.ts';
import { RABBITMQ_EVENTS, type RabbitmqEvents } from './events.ts';
import { messageSettings } from './message-settings.ts';
import { type MessageSettings, type OutgoingMessage, outgoingMessages } from './outgoing-messages.ts';
import { ReplaceablePublisher } from './replaceable-publisher.ts';

/**
 * Publishes records to a queue or an exchange of RabbitMQ. At-least-once: `flush` waits for the publisher confirms of all
 * messages.
 *
 * After a failure, delivery emits everything since the last flush again. The records with a confirm are remembered, so that
 * they are not published a second time; those without one may arrive twice. This memory is lost in a crash. An aggregator
 * that consumes record batches drops what arrives twice.
 */
export class RabbitmqEmitter implements Emitter {
  readonly #configuration: RabbitmqConfiguration;
  readonly #context: EmitterContext;
  readonly #events: RabbitmqEvents;
  readonly #settings: MessageSettings;
  readonly #unflushed = new Set<Confirmable>();
  #sent = new SentRecords();
  #hasSent = false;
  readonly #publisher: ReplaceablePublisher<ConfirmedPublisher>;

  constructor(configuration: RabbitmqConfiguration, context: EmitterContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#events = RABBITMQ_EVENTS.open({ ...context, labels: { emitter: context.name } });
    this.#settings = messageSettings(configuration);
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
    const publisher = await this.#publisher.current(this.#unflushed.size === 0);
    if (publisher === undefined) return retry('the emitter is not started');
    const failure = await publisher.ready(signal);
    if (failure !== undefined) return this.#failed(publisher, failure);
    for (const slice of batch.slices) {
      const failed = await this.#publish(publisher, slice, signal);
      if (failed !== undefined) return this.#failed(publisher, failed);
    }
    return DELIVERED;
  }

  async flush(signal: AbortSignal): Promise<FlushOutcome> {
    const publisher = this.#publisher.now;
    if (publisher === undefined || this.#unflushed.size === 0) return DELIVERED;
    const failure = await publisher.flush(signal);
    if (failure !== undefined) return this.#failed(publisher, failure);
    this.#events.confirmed({ messages: this.#unflushed.size });
    this.#unflushed.clear();
    if (this.#hasSent) this.#sent = new SentRecords();
    this.#hasSent = false;
    return DELIVERED;
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
    publisher: ConfirmedPublisher,
    slice: RecordBatch,
    signal: AbortSignal,
  ): Promise<TransportFailure | undefined> {
    const unsent = this.#hasSent ? this.#sent.unsent(slice) : [{ slice }];
    for (const run of unsent) {
      for (const messages of outgoingMessages(run.slice, this.#settings)) {
        for (const each of messages) {
          const failure = await publisher.publish(each.message, this.#onConfirmed(slice, each), signal);
          if (failure !== undefined) return failure;
        }
        // Converting many small records must not block the event loop.
        if (messages.length > 1) await turn();
      }
    }
    return undefined;
  }

  #onConfirmed({ stream }: RecordBatch, { start, end }: OutgoingMessage): () => void {
    const confirmable: Confirmable = { isConfirmed: false, stream, start, end };
    this.#unflushed.add(confirmable);
    return () => {
      confirmable.isConfirmed = true;
      // A confirm after an alarm may come when delivery has begun to emit the records again.
      if (!this.#unflushed.has(confirmable)) this.#remember(confirmable);
    };
  }

  #remember({ stream, start, end }: Confirmable): void {
    this.#hasSent = true;
    this.#sent.add(stream, start, end);
  }

  #failed(publisher: ConfirmedPublisher, { reason }: TransportFailure): Retry {
    for (const each of this.#unflushed) if (each.isConfirmed) this.#remember(each);
    this.#unflushed.clear();
    this.#events.failed();
    return { ...retry(`${publisher.address}: ${reason}`), rolledBack: true };
  }

  async #createPublisher(): Promise<ConfirmedPublisher> {
    const { window, confirm_timeout } = this.#configuration;
    const publisher: ConfirmedPublisher = new ConfirmedPublisher({
      connector: new BrokerConnector(await brokerLogin(this.#configuration, this.#context.name)),
      topology: topologyOf(this.#configuration),
      clock: this.#context.clock,
      windowBytes: window,
      answerTimeoutMs: confirm_timeout,
      onReturned: () => this.#events.returned(),
      onBlocked: (isBlocked) => {
        if (isBlocked) this.#events.blocked({ address: publisher.address });
        else this.#events.unblocked();
      },
    });
    return publisher;
  }
}

interface Confirmable {
  isConfirmed: boolean;
  readonly stream: RecordBatch['stream'];
  readonly start: number;
  readonly end: number;
}
