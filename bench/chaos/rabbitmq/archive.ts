import type { ConsumeMessage } from 'amqplib';
import type { OwnRabbitmq } from '../../../testkit/own-rabbitmq.ts';

const ARCHIVE_QUEUE = 'archive';
const PREFETCH = 100;

/** A second queue that gets each message, as an operator would keep them for the case that the first one is deleted. */
export class Archive {
  readonly #broker: OwnRabbitmq;

  constructor(broker: OwnRabbitmq) {
    this.#broker = broker;
  }

  /** Declares both queues, as the aggregators do. */
  async prepare(exchange: string, queue: string): Promise<void> {
    await this.#broker.use(async (connection) => {
      const channel = await connection.createChannel();
      await channel.assertExchange(exchange, 'fanout', { durable: true });
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
      await channel.assertQueue(ARCHIVE_QUEUE, { durable: true });
      for (const each of [queue, ARCHIVE_QUEUE]) await channel.bindQueue(each, exchange, '#');
    });
  }

  /** Moves all messages to a queue. Returns their number. */
  async replay(queue: string): Promise<number> {
    return await this.#broker.use(async (connection) => {
      const channel = await connection.createConfirmChannel();
      await channel.prefetch(PREFETCH);
      const { messageCount } = await channel.checkQueue(ARCHIVE_QUEUE);
      if (messageCount === 0) return 0;
      let moved = 0;
      await new Promise<void>((resolve, reject) => {
        const onMessage = (message: ConsumeMessage | null) => {
          if (message === null) return reject(new Error('the archive was deleted'));
          const { content, properties } = message;
          channel.publish('', queue, content, { ...properties, persistent: true }, (error: unknown) => {
            if (error !== null && error !== undefined)
              return reject(new Error('a message was not confirmed'));
            channel.ack(message);
            if (++moved === messageCount) resolve();
          });
        };
        connection.on('close', () => reject(new Error('the broker has closed the connection')));
        channel.consume(ARCHIVE_QUEUE, onMessage).catch(reject);
      });
      return moved;
    });
  }

  /** Including those that a consumer has and has not acknowledged. */
  async messagesIn(queue: string): Promise<number> {
    const text = await this.#broker.control('list_queues', 'name', 'messages');
    const line = text.split('\n').find((each) => each.startsWith(`${queue}\t`));
    return Number(line?.split('\t')[1]);
  }
}
