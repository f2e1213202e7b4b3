import { randomBytes } from 'node:crypto';
import { LIMITS } from '../../../records/limits.ts';
import { decodeRequest, type WireBatch } from '../../../records/publish-codec.ts';
import type { RecordBatch } from '../../../records/record-batch.ts';
import { untilAborted } from '../../../runtime/async/until-aborted.ts';
import { errorMessage } from '../../../runtime/error-message.ts';
import { BrokerConnector } from '../../../transport/rabbitmq/broker-connection.ts';
import { type Delivery, QueueConsumer } from '../../../transport/rabbitmq/queue-consumer.ts';
import type { BatchOutcome } from '../batch-acceptor.ts';
import type { CreateIntake, Intake, IntakeContext } from '../intake.ts';
import { verifyBatch } from '../verify-batch.ts';
import type { RabbitmqIntakeConfiguration } from './configuration.ts';
import { RABBITMQ_INTAKE_EVENTS, type RabbitmqIntakeEvents } from './events.ts';
import { intakeLogin } from './intake-login.ts';
import { KeptMessages } from './kept-messages.ts';
import { type QueueName, queueOwner } from './queue-owner.ts';

export interface RabbitmqIntakeOptions {
  readonly configuration: RabbitmqIntakeConfiguration;
  readonly stateDirectory: string;
}

export function rabbitmqIntake(options: RabbitmqIntakeOptions): CreateIntake {
  return (context) => new RabbitmqIntake(options, context);
}

/**
 * Consumes record batches from a queue of RabbitMQ, which an emitter `rabbitmq` of another aggregator has published.
 *
 *     delivery -> decode, verify -> ledger, group commit -> ack
 *
 * A message is acknowledged when its records are flushed. After a lost connection the broker delivers unanswered messages
 * again, here or to another consumer: the ledger, or a store with ranges, drops the repetition.
 *
 * A message that can never be accepted goes to the dead letter exchange of the queue. Without one it is kept in the state
 * directory and then acknowledged; when there is no room, it stays unanswered at the broker. It is never requeued, which
 * would deliver it again at once.
 *
 * While intake is stopped (a full disk), the connection is closed, so that other aggregators get the messages.
 */
export class RabbitmqIntake implements Intake {
  readonly name = 'rabbitmq';
  readonly #options: RabbitmqIntakeOptions;
  readonly #context: IntakeContext;
  readonly #events: RabbitmqIntakeEvents;
  readonly #kept: KeptMessages;
  readonly #source: QueueName;
  readonly #instance = randomBytes(8).readBigUInt64LE();
  /** Received, and not passed on yet: at most `prefetch`. */
  #waiting: Delivery[] = [];
  #consumer: QueueConsumer | undefined;
  #unsubscribe: () => void = () => {};
  #waitsForRoom = false;
  #held = 0;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: RabbitmqIntakeOptions, context: IntakeContext) {
    const { queue, address } = options.configuration;
    this.#options = options;
    this.#context = context;
    this.#events = RABBITMQ_INTAKE_EVENTS.open({ ...context, labels: { queue } });
    this.#kept = new KeptMessages(options.stateDirectory);
    this.#source = { queue, vhost: address[0]?.vhost ?? '/' };
  }

  /** Does not wait for the broker. Throws if a certificate file cannot be read. */
  async start(): Promise<void> {
    const { queue } = this.#context;
    this.#consumer = await this.#createConsumer();
    this.#unsubscribe = queue.onStopped((reason) => this.#queueChanged(reason));
    if (queue.stopped !== undefined) this.#consumer.pause();
    this.#consumer.start();
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#unsubscribe();
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.cancel(deadline);
    this.#waiting = [];
    await untilAborted(Promise.all(this.#underWay), deadline);
    await consumer?.stop(deadline);
    this.#events.flush();
  }

  async #createConsumer(): Promise<QueueConsumer> {
    const { configuration } = this.#options;
    const { queue } = configuration;
    return new QueueConsumer({
      connector: new BrokerConnector(await intakeLogin(configuration)),
      topology: {
        queue,
        queueType: configuration.queue_type,
        exchange: configuration.exchange,
        exchangeType: configuration.exchange_type,
        bindingKey: configuration.binding_key,
        deadLetterExchange: configuration.dead_letter_exchange,
      },
      prefetch: configuration.prefetch,
      clock: this.#context.clock,
      onDelivery: (delivery) => this.#received(delivery),
      onConnected: (address) => this.#events.connected({ address, queue }),
      onDisconnected: (address, reason) => this.#ended({ address, queue, reason }),
    });
  }

  #ended(where: { readonly address: string; readonly queue: string; readonly reason: string }): void {
    this.#forgetSession();
    this.#events.disconnected(where);
  }

  /** The broker has the messages again. */
  #forgetSession(): void {
    this.#waiting = [];
    this.#held = 0;
    this.#events.released();
  }

  #queueChanged(stopped: string | undefined): void {
    if (stopped === undefined) return this.#consumer?.resume();
    this.#consumer?.pause();
    this.#forgetSession();
    this.#events.paused({ queue: this.#source.queue, reason: stopped });
  }

  #received(delivery: Delivery): void {
    if (delivery.isRedelivered) this.#events.redelivered();
    this.#waiting.push(delivery);
    this.#proceed();
  }

  /** Passes on what the acceptor has room for, in the order of the queue. */
  #proceed(): void {
    const { batches, queue } = this.#context;
    while (this.#waiting.length > 0 && queue.stopped === undefined) {
      if (!batches.hasRoom) return this.#proceedWhenRoom();
      const delivery = this.#waiting.shift();
      if (delivery?.isCurrent) this.#track(this.#process(delivery));
    }
  }

  #proceedWhenRoom(): void {
    if (this.#waitsForRoom) return;
    this.#waitsForRoom = true;
    this.#context.batches.whenRoom(() => {
      this.#waitsForRoom = false;
      this.#proceed();
    });
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  async #process(delivery: Delivery): Promise<void> {
    const received = receivedBatch(delivery);
    if (typeof received === 'string') return await this.#reject(delivery, received);
    const { wire, batch } = received;
    const owner = queueOwner(this.#source, batch.stream);
    const opening = this.#context.ledger.open(batch.stream, owner);
    if (opening.kind === 'refused') return await this.#reject(delivery, opening.reason);
    const outcome = await this.#context.batches.accept({
      batch,
      encoded: wire.records,
      endCheck: wire.endCheck,
      checksums: wire.checksums,
      writer: { owner, instance: this.#instance, openedEnd: opening.end },
      isShared: true,
    });
    await this.#answer(delivery, outcome);
  }

  async #answer(delivery: Delivery, outcome: BatchOutcome): Promise<void> {
    if (outcome.kind === 'accepted') {
      delivery.ack();
      this.#events.accepted();
    } else if (outcome.kind === 'refused') await this.#reject(delivery, outcome.reason);
    else if (delivery.isCurrent) this.#consumer?.restart(`a batch could not be stored: ${outcome.reason}`);
  }

  async #reject(delivery: Delivery, reason: string): Promise<void> {
    const { dead_letter_exchange: exchange } = this.#options.configuration;
    const { queue } = this.#source;
    const about = { queue, reason, messageId: String(delivery.properties.messageId ?? '').slice(0, MAX_ID) };
    if (exchange !== undefined) {
      delivery.reject();
      return this.#events.rejected({ ...about, keptIn: `the dead letter exchange "${exchange}"` });
    }
    const path = await this.#keep(delivery, reason);
    if (path.kind === 'kept') {
      delivery.ack();
      return this.#events.rejected({ ...about, keptIn: path.path });
    }
    // Not answered: the broker keeps it, and delivers it once to each connection.
    this.#held++;
    this.#events.held({ ...about, reason: `${reason}; ${path.reason}`, messages: this.#held });
  }

  async #keep(
    delivery: Delivery,
    reason: string,
  ): Promise<
    { readonly kind: 'kept'; readonly path: string } | { readonly kind: 'not-kept'; readonly reason: string }
  > {
    const atMs = Number(this.#context.clock.nowUnixNano() / 1_000_000n);
    try {
      const path = await this.#kept.keep(delivery, { queue: this.#source.queue, reason, atMs });
      if (path !== undefined) return { kind: 'kept', path };
      return { kind: 'not-kept', reason: `${this.#kept.directory} is full` };
    } catch (error) {
      return { kind: 'not-kept', reason: errorMessage(error) };
    }
  }
}

const MAX_ID = 200;

/** The batch of a message, or why it is none. */
function receivedBatch({ content }: Delivery): { wire: WireBatch; batch: RecordBatch } | string {
  if (content.length > LIMITS.messageBytes)
    return `the message has ${content.length} bytes, more than ${LIMITS.messageBytes}`;
  const request = decodeRequest(content);
  if (request.kind === 'invalid') return `the message is not a record batch: ${request.reason}`;
  if (request.kind !== 'batch') return 'the message is not a record batch';
  const verified = verifyBatch(request.batch);
  return verified.kind === 'invalid' ? verified.reason : { wire: request.batch, batch: verified.batch };
}
