import type { Channel, Options } from 'amqplib';
import type { QueueType } from './broker-options.ts';

/** The queue and the exchange of a producer or a consumer. */
export interface BrokerTopology {
  readonly queue: string | undefined;
  /** `existing`: the queue is only checked. */
  readonly queueType: QueueType;
  /** Empty: the default exchange, which routes to the queue with the name of the routing key. */
  readonly exchange: string;
  /** `existing`: the exchange is only checked. */
  readonly exchangeType: 'topic' | 'direct' | 'fanout' | 'headers' | 'existing';
  readonly bindingKey: string;
  readonly deadLetterExchange?: string | undefined;
  /** `stream` only. */
  readonly maxBytes?: number | undefined;
}

/**
 * Declares what does not exist. Declaring an existing queue or exchange with the same properties changes nothing; with
 * other properties it fails, and the channel ends.
 */
export async function declareTopology(channel: Channel, topology: BrokerTopology): Promise<void> {
  const { queue, queueType, exchange, exchangeType, bindingKey } = topology;
  if (exchange !== '') {
    if (exchangeType === 'existing') await channel.checkExchange(exchange);
    else await channel.assertExchange(exchange, exchangeType, { durable: true });
  }
  if (queue === undefined) return;
  if (queueType === 'existing') await channel.checkQueue(queue);
  else {
    await channel.assertQueue(queue, queueOptions(topology));
    if (exchange !== '') await channel.bindQueue(queue, exchange, bindingKey);
  }
}

function queueOptions({ queueType, deadLetterExchange, maxBytes }: BrokerTopology): Options.AssertQueue {
  return {
    durable: true,
    arguments: {
      'x-queue-type': queueType,
      ...(queueType === 'stream' && maxBytes !== undefined && { 'x-max-length-bytes': maxBytes }),
    },
    ...(deadLetterExchange !== undefined && queueType !== 'stream' && { deadLetterExchange }),
  };
}
