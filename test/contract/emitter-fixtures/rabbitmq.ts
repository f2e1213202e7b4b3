import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { onTestFinished } from 'vitest';
import { MISSING_RABBITMQ, sharedBroker, useBroker } from '../../support/rabbitmq-broker.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

/** A queue of its own for each test, at one broker for all of them. */
export const rabbitmqFixture: EmitterFixture = {
  type: 'rabbitmq',
  ...(MISSING_RABBITMQ !== undefined && { missing: MISSING_RABBITMQ }),
  prepare: () => useBroker(),
  open: async () => {
    const broker = await sharedBroker();
    const queue = `contract-${randomUUID()}`;
    const arrived: string[] = [];
    const connection = await connect(broker.url());
    onTestFinished(() => connection.close());
    const channel = await connection.createChannel();
    const receive = async () => {
      await channel.assertQueue(queue, { durable: true });
      await channel.consume(
        queue,
        (message) => {
          if (message !== null) arrived.push(message.content.toString());
        },
        { noAck: true },
      );
    };
    await receive();
    return {
      value: JSON.stringify({ address: broker.url(), queue, queue_type: 'existing', body: 'raw' }),
      bodies: async () => arrived,
      refuse: async () => {
        await channel.deleteQueue(queue);
        return receive;
      },
    };
  },
};
