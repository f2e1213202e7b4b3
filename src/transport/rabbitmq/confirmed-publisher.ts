import type { ConfirmChannel, Message, Options } from 'amqplib';
import type { Clock } from '../../runtime/clock.ts';
import type { TransportFailure } from '../transport.ts';
import { timedOut } from '../transport-failure.ts';
import { type BrokerConnection, type BrokerConnector, brokerFailure } from './broker-connection.ts';
import { type BrokerTopology, declareTopology } from './topology.ts';

export interface BrokerMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  readonly properties: Options.Publish;
}

export interface ConfirmedPublisherOptions {
  readonly connector: BrokerConnector;
  readonly topology: BrokerTopology;
  readonly clock: Clock;
  /** Bytes of messages that may wait for their confirms. */
  readonly windowBytes: number;
  /** How long a confirm, or the end of an alarm, is waited for. */
  readonly answerTimeoutMs: number;
  readonly onReturned: () => void;
  readonly onBlocked: (isBlocked: boolean) => void;
}

/**
 * Publishes messages with publisher confirms. A message is confirmed when each queue that got it has stored it: a quorum
 * queue on a majority of its nodes, a durable classic queue on the disk of its node.
 *
 * A failure ends the connection: an unconfirmed message may have arrived or not, and the caller publishes it again. A
 * blocked broker (an alarm of memory or disk) is different: the connection stays, since messages that are already under way
 * arrive when the alarm ends.
 *
 * A message that no queue receives is returned by the broker. That is a failure of all messages since the last flush, since
 * the confirm of a returned message looks like any other.
 */
export class ConfirmedPublisher {
  readonly #options: ConfirmedPublisherOptions;
  #open: OpenChannel | undefined;
  #address = '';
  #pendingBytes = 0;
  #failure: TransportFailure | undefined;
  #wake: () => void = () => {};

  constructor(options: ConfirmedPublisherOptions) {
    this.#options = options;
  }

  /** The address of the last connection or attempt. */
  get address(): string {
    return this.#address;
  }

  /** Connects and declares the queue and the exchange, unless that is done. Returns why it is not possible now. */
  async ready(signal: AbortSignal): Promise<TransportFailure | undefined> {
    if (this.#open !== undefined && this.#failureNow() === undefined) {
      const { blocked } = this.#open.connection;
      return blocked === undefined ? undefined : blockedFailure(blocked);
    }
    this.#leave();
    const opening = await this.#options.connector.open(signal);
    if (opening.kind === 'failed') {
      this.#address = opening.address;
      return opening.failure;
    }
    this.#address = opening.connection.address;
    return await this.#openChannel(opening.connection);
  }

  /**
   * Publishes a message; `onConfirmed` is called when the broker has stored it. Resolves when the window has room for the
   * next one. After a failure nothing more is confirmed, unless the failure is an alarm.
   */
  async publish(
    message: BrokerMessage,
    onConfirmed: () => void,
    signal: AbortSignal,
  ): Promise<TransportFailure | undefined> {
    const failure = this.#failureNow();
    if (failure !== undefined || this.#open === undefined) return failure ?? NOT_CONNECTED;
    const bytes = message.content.length + OVERHEAD_BYTES;
    this.#pendingBytes += bytes;
    const open = this.#open;
    try {
      open.channel.publish(
        message.exchange,
        message.routingKey,
        message.content,
        message.properties,
        (error: unknown) => {
          if (open !== this.#open) return;
          this.#pendingBytes -= bytes;
          // A returned message is confirmed after its return, so no later confirm counts.
          if (this.#failure !== undefined) return;
          if (error === null || error === undefined) onConfirmed();
          else this.#fail({ reason: 'the broker did not store a message (nack)' });
          this.#wake();
        },
      );
    } catch (error) {
      this.#fail(brokerFailure(error));
    }
    return await this.#untilPending(this.#options.windowBytes, signal);
  }

  /** Resolves when all messages are confirmed. */
  async flush(signal: AbortSignal): Promise<TransportFailure | undefined> {
    return await this.#untilPending(0, signal);
  }

  async close(deadline: AbortSignal): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#wake();
    await open?.connection.close(deadline);
  }

  async #openChannel(connection: BrokerConnection): Promise<TransportFailure | undefined> {
    const { connector, clock } = this.#options;
    try {
      const open = await connection.answered(() => this.#declare(connection), {
        clock,
        timeoutMs: connector.timeoutMs,
      });
      connection.model.on('blocked', () => this.#alarmChanged(open));
      connection.model.on('unblocked', () => this.#alarmChanged(open));
      void connection.whenEnded.then((failure) => this.#failOf(open, failure));
      if (connection.ended !== undefined) return connection.ended;
      this.#open = open;
      this.#failure = undefined;
      return undefined;
    } catch (error) {
      connection.destroy();
      return brokerFailure(error);
    }
  }

  async #declare(connection: BrokerConnection): Promise<OpenChannel> {
    const channel = await connection.model.createConfirmChannel();
    const open = { connection, channel };
    channel.on('error', (error) => this.#failOf(open, brokerFailure(error)));
    channel.on('close', () => this.#failOf(open, { reason: 'the broker has closed the channel' }));
    channel.on('return', (message: Message) => this.#returned(open, message));
    await declareTopology(channel, this.#options.topology);
    return open;
  }

  #alarmChanged(open: OpenChannel): void {
    if (open !== this.#open) return;
    this.#options.onBlocked(open.connection.blocked !== undefined);
    this.#wake();
  }

  #returned(open: OpenChannel, { fields }: Message): void {
    this.#options.onReturned();
    const { replyText = 'NO_ROUTE' } = fields as { readonly replyText?: string };
    const to = fields.exchange === '' ? 'the default exchange' : `the exchange "${fields.exchange}"`;
    this.#failOf(open, {
      reason: `no queue receives messages of ${to} with the routing key "${fields.routingKey}" (${replyText})`,
    });
  }

  #failOf(open: OpenChannel, failure: TransportFailure): void {
    if (open === this.#open) this.#fail(failure);
  }

  #fail(failure: TransportFailure): void {
    this.#failure ??= failure;
    this.#wake();
  }

  #failureNow(): TransportFailure | undefined {
    return this.#failure ?? this.#open?.connection.ended;
  }

  /** Waits until at most this number of bytes is unconfirmed. Leaves the connection after a failure. */
  async #untilPending(bytes: number, signal: AbortSignal): Promise<TransportFailure | undefined> {
    let failure = this.#failureNow();
    if (this.#pendingBytes <= bytes && failure === undefined) return undefined;
    const { clock, answerTimeoutMs } = this.#options;
    const deadlineMs = clock.monotonicMs() + answerTimeoutMs;
    while (this.#pendingBytes > bytes && failure === undefined) {
      const leftMs = deadlineMs - clock.monotonicMs();
      if (signal.aborted) return ABORTED;
      if (leftMs <= 0) return this.#late();
      await this.#changed(leftMs, signal);
      failure = this.#failureNow();
    }
    if (failure !== undefined) this.#leave();
    return failure;
  }

  /** A blocked connection stays. Otherwise the broker is at fault. */
  #late(): TransportFailure {
    const blocked = this.#open?.connection.blocked;
    if (blocked !== undefined) return blockedFailure(blocked);
    this.#options.connector.avoidLast();
    this.#leave();
    return timedOut('the broker did not confirm the messages', this.#options.answerTimeoutMs);
  }

  async #changed(withinMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(withinMs, done);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
      function done() {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
    this.#wake = () => {};
  }

  #leave(): void {
    const open = this.#open;
    this.#open = undefined;
    this.#failure = undefined;
    this.#pendingBytes = 0;
    if (open === undefined) return;
    this.#options.onBlocked(false);
    open.connection.destroy();
  }
}

interface OpenChannel {
  readonly connection: BrokerConnection;
  readonly channel: ConfirmChannel;
}

/** Of the frames and the properties of a message. */
const OVERHEAD_BYTES = 256;
const NOT_CONNECTED: TransportFailure = { reason: 'not connected' };
const ABORTED: TransportFailure = { reason: 'aborted' };

function blockedFailure(reason: string): TransportFailure {
  return { reason: `the broker accepts no messages: ${reason}` };
}
