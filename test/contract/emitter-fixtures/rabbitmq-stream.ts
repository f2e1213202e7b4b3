import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { onTestFinished } from 'vitest';
import { MISSING_RABBITMQ, sharedBroker, useBroker } from '../../support/rabbitmq-broker.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

/** The emitter over the stream protocol: a stream of its own for each test, at one broker for all of them. */
export const rabbitmqStreamFixture: EmitterFixture = {
  type: 'rabbitmq',
  variant: ' into a stream',
  ...(MISSING_RABBITMQ !== undefined && { missing: MISSING_RABBITMQ }),
  // A record of the maximum size does not fit into a frame of the default size.
  prepare: () => useBroker(undefined, ['stream.frame_max = 4194304']),
  open: async () => {
    const broker = await sharedBroker();
    const queue = `contract-${randomUUID()}`;
    const arrived: string[] = [];
    const connection = await connect(broker.url());
    onTestFinished(() => connection.close());
    const channel = await connection.createChannel();
    await channel.prefetch(1000);
    const receive = async () => {
      await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'stream' } });
      await channel.consume(
        queue,
        (message) => {
          if (message === null) return;
          arrived.push(message.content.toString());
          channel.ack(message);
        },
        { arguments: { 'x-stream-offset': 'first' } },
      );
    };
    await receive();
    const address = `rabbitmq-stream://127.0.0.1:${broker.streamPort}`;
    return {
      value: JSON.stringify({ address, queue, queue_type: 'existing', body: 'raw' }),
      bodies: async () => arrived,
      refuse: async () => {
        await channel.deleteQueue(queue);
        return receive;
      },
    };
  },
};
