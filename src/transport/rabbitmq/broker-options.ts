import { z } from 'zod';
import { BROKER_ADDRESS_FORMAT, type BrokerAddress, parseBrokerAddress } from './broker-address.ts';

const MAX_ADDRESSES = 16;

/** One address, a list of them, or a text of several that are separated by commas. */
const addresses = z
  .union([z.string(), z.array(z.string())])
  .transform((given, context): readonly BrokerAddress[] => {
    const texts = typeof given === 'string' ? given.split(/[\s,]+/).filter(Boolean) : given;
    const parsed = texts.map(parseBrokerAddress).filter((each) => each !== undefined);
    if (parsed.length === texts.length && parsed.length > 0 && parsed.length <= MAX_ADDRESSES) return parsed;
    context.addIssue({
      code: 'custom',
      message: `expected 1 to ${MAX_ADDRESSES} addresses: amqp://host:port/vhost, or amqps:// for TLS`,
    });
    return z.NEVER;
  });

/** The keys of everything that connects to a RabbitMQ broker. */
export const brokerShape = {
  address: addresses.meta({
    format: BROKER_ADDRESS_FORMAT,
    description:
      'Brokers of one cluster. The first one that can be reached is used. Default port: 5672, with TLS 5671; default virtual host: `/`.',
  }),
  username: z.string().min(1).optional().meta({
    format: 'text',
    default: 'the one in the address, else `guest`',
    description: 'User at the broker.',
  }),
  password: z.string().optional().meta({
    format: 'text',
    default: 'the one in the address, else `guest`',
    description: 'Password of the user.',
  }),
};

export const QUEUE_TYPES = ['quorum', 'classic', 'stream', 'existing'] as const;

export type QueueType = (typeof QUEUE_TYPES)[number];

/** Names of queues and exchanges are at most 255 bytes. */
export const brokerName = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= 255, 'must be at most 255 bytes');
