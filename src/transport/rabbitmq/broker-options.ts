import { z } from 'zod';
import { BROKER_ADDRESS_FORMAT, type BrokerAddress, parseBrokerAddress } from './broker-address.ts';

const MAX_ADDRESSES = 16;

type Protocol = BrokerAddress['protocol'];

/** One address, a list of them, or a text of several that are separated by commas. All of one protocol. */
function addressesOf(protocols: readonly Protocol[], expected: string) {
  return z.union([z.string(), z.array(z.string())]).transform((given, context): readonly BrokerAddress[] => {
    const texts = typeof given === 'string' ? given.split(/[\s,]+/).filter(Boolean) : given;
    const parsed = texts.map(parseBrokerAddress).filter((each) => each !== undefined);
    const isComplete = parsed.length === texts.length && parsed.length > 0 && parsed.length <= MAX_ADDRESSES;
    const used = new Set(parsed.map(({ protocol }) => protocol));
    if (isComplete && used.size === 1 && protocols.some((each) => used.has(each))) return parsed;
    context.addIssue({ code: 'custom', message: `expected 1 to ${MAX_ADDRESSES} addresses: ${expected}` });
    return z.NEVER;
  });
}

const AMQP_EXPECTED = 'amqp://host:port/vhost, or amqps:// for TLS';
const DESCRIPTION =
  'Brokers of one cluster. The first one that can be reached is used. Default port: 5672, with TLS 5671; default virtual host: `/`.';

/** The keys of everything that connects to a RabbitMQ broker. */
export const brokerShape = {
  address: addressesOf(['amqp'], AMQP_EXPECTED).meta({
    format: BROKER_ADDRESS_FORMAT,
    description: DESCRIPTION,
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

/** The addresses of a publisher. */
export const publisherAddress = addressesOf(
  ['amqp', 'stream'],
  `${AMQP_EXPECTED}; or, all of them, rabbitmq-stream://host:port/vhost or rabbitmq-stream+tls://`,
).meta({
  format: `${BROKER_ADDRESS_FORMAT}; \`rabbitmq-stream://host:port/vhost\` or \`rabbitmq-stream+tls://\` for a stream`,
  description: `${DESCRIPTION} With \`rabbitmq-stream\`, each record is published once (default port 5552, with TLS 5551).`,
});

export const QUEUE_TYPES = ['quorum', 'classic', 'stream', 'existing'] as const;

export type QueueType = (typeof QUEUE_TYPES)[number];

/** Names of queues and exchanges are at most 255 bytes. */
export const brokerName = z
  .string()
  .min(1)
  .refine((text) => Buffer.byteLength(text) <= 255, 'must be at most 255 bytes');
