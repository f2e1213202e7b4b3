import type { Channel, ConsumeMessage, MessageProperties } from 'amqplib';
import { Backoff, type BackoffOptions } from '../../runtime/async/backoff.ts';
import { InterruptibleWait } from '../../runtime/async/interruptible-wait.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { TransportFailure } from '../transport.ts';
import { type BrokerConnection, type BrokerConnector, brokerFailure } from './broker-connection.ts';
import { type BrokerTopology, declareTopology } from './topology.ts';

/** A message that the broker waits to be answered. */
export interface Delivery {
  readonly content: Buffer;
  readonly properties: MessageProperties;
  readonly exchange: string;
  readonly routingKey: string;
  /** The broker has delivered it before. */
  readonly isRedelivered: boolean;
  /** False: the connection has ended, and the broker delivers the message again. Answers have no effect. */
  readonly isCurrent: boolean;
  /** The broker deletes the message. */
  ack(): void;
  /** The broker publishes the message to the dead letter exchange of the queue, or deletes it. */
  reject(): void;
}

export interface QueueConsumerOptions {
  readonly connector: BrokerConnector;
  readonly topology: BrokerTopology & { readonly queue: string };
  /** Maximum number of messages without an answer. */
  readonly prefetch: number;
  /** The arguments of each new consumer; default: none. */
  readonly consumeArguments?: (() => Readonly<Record<string, unknown>>) | undefined;
  readonly clock: Clock;
  readonly backoff?: BackoffOptions | undefined;
  readonly onDelivery: (delivery: Delivery) => void;
  readonly onConnected: (address: string) => void;
  /** Called for each failed attempt, too. */
  readonly onDisconnected: (address: string, reason: string) => void;
}

export interface PeekOptions {
  readonly consumeArguments: Readonly<Record<string, unknown>>;
  readonly quietMs: number;
  readonly onMessage: (properties: MessageProperties) => void;
}

const PEEKED_MESSAGES = 100;

/** A connection that lasted this long was healthy: the next attempt follows soon. */
const HEALTHY_AFTER_MS = 10_000;

/**
 * Consumes a queue, over any number of connections.
 *
 *     connecting --declare, consume--> consuming --ended--> waiting (backoff) --> connecting
 *                                          |
 *                                        pause --> paused --resume--> connecting
 *
 * When a connection ends, the broker gives the unanswered messages to another consumer, or to the next connection. `pause`
 * ends the connection for that reason: other consumers can process the messages.
 */
export class QueueConsumer {
  readonly #options: QueueConsumerOptions;
  readonly #backoff: Backoff;
  readonly #wait: InterruptibleWait;
  readonly #stopping = new AbortController();
  #session: Session | undefined;
  #isPaused = false;
  #resume: () => void = () => {};
  #running: Promise<void> | undefined;

  constructor(options: QueueConsumerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
    this.#wait = new InterruptibleWait(options.clock);
  }

  /** Does not wait for the broker. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Returns the unanswered messages to the broker. */
  pause(): void {
    this.#isPaused = true;
    this.#session?.end({ reason: PAUSED });
  }

  resume(): void {
    this.#isPaused = false;
    this.#resume();
  }

  /** Ends the connection because of a fault on this side; it is opened again after the backoff. */
  restart(reason: string): void {
    this.#session?.end({ reason });
  }

  /**
   * Reads messages with a second consumer on the same connection until none arrives for `quietMs`. Only for a stream: the
   * messages of another queue would be deleted. Returns false if this is not possible.
   */
  async peek({ consumeArguments, quietMs, onMessage }: PeekOptions): Promise<boolean> {
    const { topology, clock } = this.#options;
    const { signal } = this.#stopping;
    try {
      const channel = await this.#session?.connection.model.createChannel();
      if (channel === undefined) return false;
      channel.on('error', () => {});
      await channel.prefetch(PEEKED_MESSAGES);
      let count = 0;
      const received = (message: ConsumeMessage | null) => {
        if (message === null) return;
        count++;
        onMessage(message.properties);
        channel.ack(message);
      };
      await channel.consume(topology.queue, received, { arguments: consumeArguments });
      for (let before = -1; before !== count; ) {
        before = count;
        await clock.sleep(quietMs, signal);
      }
      await channel.close();
      return true;
    } catch {
      return false;
    }
  }

  /** Receives no more messages. Answers are still sent. */
  async cancel(deadline: AbortSignal): Promise<void> {
    this.#stopping.abort();
    this.#wait.end();
    this.#resume();
    const session = this.#session;
    if (session !== undefined) await untilAborted(session.cancel(), deadline);
  }

  /** After `cancel`: sends the answers, and closes the connection. */
  async stop(deadline: AbortSignal): Promise<void> {
    await this.cancel(deadline);
    await this.#session?.connection.close(deadline);
    this.#session?.end({ reason: 'stopped' });
    if (this.#running !== undefined) await untilAborted(this.#running, deadline);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (this.#isPaused) await this.#resumed();
      else if (!(await this.#consumeOnce())) await this.#wait.wait(this.#backoff.nextMs());
    }
  }

  async #resumed(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
  }

  /** Resolves when the connection has ended: false after a failure. */
  async #consumeOnce(): Promise<boolean> {
    const { connector, clock, onConnected, onDisconnected } = this.#options;
    const { signal } = this.#stopping;
    const opening = await connector.open(signal);
    if (signal.aborted) {
      if (opening.kind === 'open') opening.connection.destroy();
      return true;
    }
    if (opening.kind === 'failed') {
      onDisconnected(opening.address, opening.failure.reason);
      return false;
    }
    const { connection } = opening;
    const openedMs = clock.monotonicMs();
    const failure = await this.#consume(connection, () => onConnected(connection.address));
    if (failure.reason === PAUSED || signal.aborted) return true;
    onDisconnected(connection.address, failure.reason);
    if (clock.monotonicMs() - openedMs >= HEALTHY_AFTER_MS) this.#backoff.reset();
    return false;
  }

  async #consume(connection: BrokerConnection, onConsuming: () => void): Promise<TransportFailure> {
    const session = new Session(connection);
    const { clock, connector } = this.#options;
    try {
      const limit = { clock, timeoutMs: connector.timeoutMs };
      if (!(await connection.answered(() => this.#declare(session), limit))) return { reason: PAUSED };
      onConsuming();
      return await session.whenEnded;
    } catch (error) {
      return session.failure ?? brokerFailure(error);
    } finally {
      session.end({ reason: 'ended' });
      if (this.#session === session) this.#session = undefined;
      connection.destroy();
    }
  }

  /** False: it was paused or stopped in the meantime. */
  async #declare(session: Session): Promise<boolean> {
    const { topology, prefetch, consumeArguments } = this.#options;
    const channel = await session.connection.model.createChannel();
    session.use(channel);
    await declareTopology(channel, topology);
    await channel.prefetch(prefetch);
    if (this.#isPaused || this.#stopping.signal.aborted) return false;
    this.#session = session;
    const onMessage = (message: ConsumeMessage | null) => this.#received(session, message);
    const { consumerTag } = await channel.consume(topology.queue, onMessage, {
      arguments: consumeArguments?.(),
    });
    session.consumerTag = consumerTag;
    return true;
  }

  #received(session: Session, message: ConsumeMessage | null): void {
    if (message === null) session.end({ reason: 'the broker has ended the consumer: the queue was deleted' });
    else this.#options.onDelivery(session.delivery(message));
  }
}

const PAUSED = 'paused';

/** A connection with its channel. */
class Session {
  readonly connection: BrokerConnection;
  readonly whenEnded: Promise<TransportFailure>;
  failure: TransportFailure | undefined;
  consumerTag: string | undefined;
  #channel: Channel | undefined;
  #resolve: (failure: TransportFailure) => void = () => {};

  constructor(connection: BrokerConnection) {
    this.connection = connection;
    this.whenEnded = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    void connection.whenEnded.then((failure) => this.end(failure));
  }

  use(channel: Channel): void {
    this.#channel = channel;
    channel.on('error', (error) => this.end(brokerFailure(error)));
    channel.on('close', () => this.end({ reason: 'the broker has closed the channel' }));
  }

  end(failure: TransportFailure): void {
    this.failure ??= failure;
    this.#resolve(this.failure);
  }

  async cancel(): Promise<void> {
    if (this.consumerTag === undefined || this.failure !== undefined) return;
    await this.#channel?.cancel(this.consumerTag).catch(() => {});
  }

  delivery(message: ConsumeMessage): Delivery {
    const isCurrent = () => this.failure === undefined;
    return {
      content: message.content,
      properties: message.properties,
      exchange: message.fields.exchange,
      routingKey: message.fields.routingKey,
      isRedelivered: message.fields.redelivered,
      get isCurrent() {
        return isCurrent();
      },
      ack: () => this.#answer((channel) => channel.ack(message)),
      reject: () => this.#answer((channel) => channel.reject(message, false)),
    };
  }

  /** The client throws when the channel is closing: the broker delivers the message again. */
  #answer(send: (channel: Channel) => void): void {
    if (this.failure !== undefined || this.#channel === undefined) return;
    try {
      send(this.#channel);
    } catch (error) {
      this.end(brokerFailure(error));
    }
  }
}
