import { z } from 'zod';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import {
  brokerName,
  brokerShape,
  publisherAddress,
  QUEUE_TYPES,
} from '../../transport/rabbitmq/broker-options.ts';
import { clientTlsProblems, clientTlsShape } from '../client-tls.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { byteSizeOption, durationOption } from '../option-schemas.ts';
import { namesOfRecords, parseRoutingKey } from './routing-key.ts';

const MAX_WINDOW_BYTES = 64 * 1024 * 1024;
const MIN_WINDOW_BYTES = 64 * 1024;

const routingKey = z.string().transform((text, context) => {
  const parsed = parseRoutingKey(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'expected at most 255 bytes with placeholders such as {host.name}, {severity} or {format}',
  });
  return z.NEVER;
});

/** docs/rabbitmq.md has details and examples. */
export const rabbitmqShape = {
  ...brokerShape,
  address: publisherAddress,
  body: z.enum(['record-batch', 'json', 'raw']).default('record-batch').meta({
    description:
      'Content of a message. `record-batch`: many records, for the intake of another aggregator. `json`: one record with its attributes. `raw`: the bytes of one record.',
  }),
  queue: brokerName.optional().meta({
    format: 'name',
    description: 'Queue that receives the messages. Declared durable, unless `queue_type` is `existing`.',
  }),
  queue_type: z.enum(QUEUE_TYPES).default('quorum').meta({
    description:
      'Type of the queue. `stream`: a stream, which keeps its messages until `max_bytes`. `existing`: the queue must exist.',
  }),
  exchange: z.string().max(255).default('').meta({
    format: 'name',
    description:
      'Exchange to publish to. Empty: the default exchange, which delivers to the queue with the name of the routing key.',
  }),
  exchange_type: z.enum(['topic', 'direct', 'fanout', 'headers', 'existing']).default('topic').meta({
    description: 'Type of the exchange, which is declared durable. `existing`: the exchange must exist.',
  }),
  binding_key: z.string().max(255).default('#').meta({
    format: 'text',
    description: 'Binding of the queue to the exchange, if both are configured and the queue is declared.',
  }),
  routing_key: routingKey.optional().meta({
    format: 'text with `{placeholders}`',
    default: 'the name of the queue',
    description:
      'Routing key. Placeholders are attributes of the resource, `{format}`, and for `json` and `raw` attributes of the record and `{severity}`. Points, blanks, `*` and `#` in a value become `_`; a missing value is `unknown`.',
  }),
  mandatory: z.boolean().default(true).meta({
    description:
      'A message that no queue receives is a failure, and is sent again. With `false` the broker drops it.',
  }),
  dead_letter_exchange: brokerName.optional().meta({
    format: 'name',
    description:
      'Dead letter exchange of the declared queue: messages that a consumer rejects are published to it.',
  }),
  max_bytes: byteSizeOption(1024 * 1024, Number.MAX_SAFE_INTEGER, '20GiB')
    .optional()
    .meta({
      format: 'byte size',
      description: 'Streams only: size above which the broker deletes the oldest part of a declared stream.',
    }),
  compression: z.enum(['lz4', 'none']).default('lz4').meta({
    description: 'Compression of a `record-batch`.',
  }),
  window: byteSizeOption(MIN_WINDOW_BYTES, MAX_WINDOW_BYTES, '8MiB')
    .prefault('8MiB')
    .meta({ format: 'byte size', description: 'Maximum size of messages that are not confirmed.' }),
  ...clientTlsShape,
  timeout: durationOption.prefault('10s').meta({
    format: 'duration',
    description: 'Timeout of connecting, including the TLS handshake and the login.',
  }),
  confirm_timeout: durationOption.prefault('60s').meta({
    format: 'duration',
    description:
      'Maximum wait for the confirm of a message. After it, the connection is closed and unconfirmed messages are sent again.',
  }),
};

export const RABBITMQ_FORMAT = {
  type: 'rabbitmq',
  variable: 'AGGREGATOR_RABBITMQ_CONFIGURATION',
  example: '{"address": "amqp://broker.example", "queue": "logs"}',
  shape: rabbitmqShape,
} as const;

export type RabbitmqConfiguration = ConfigurationOf<typeof rabbitmqShape>;

export function parseRabbitmqConfiguration(
  value: string,
): readonly ConfiguredEmitter<RabbitmqConfiguration>[] {
  const configured = parseConfigurations({ ...RABBITMQ_FORMAT, value });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index) =>
    problemsOf(configuration, isList ? `${RABBITMQ_FORMAT.variable}[${index}]` : RABBITMQ_FORMAT.variable),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}

function problemsOf(configuration: RabbitmqConfiguration, place: string): readonly ConfigurationProblem[] {
  const { address, queue, queue_type, exchange, routing_key, body } = configuration;
  const problem = (key: string, message: string) => ({ variable: `${place}.${key}`, message });
  const isStream = queue_type === 'stream';
  const ofRecords = body === 'record-batch' && routing_key !== undefined ? namesOfRecords(routing_key) : [];
  return [
    ...streamProblems(configuration).map(([key, message]) => problem(key, message)),
    ...(queue === undefined && exchange === '' ? [problem('queue', 'is required without an exchange')] : []),
    ...(exchange !== '' && routing_key === undefined && queue === undefined
      ? [problem('routing_key', 'is required for an exchange without a queue')]
      : []),
    ...(!isStream && configuration.max_bytes !== undefined
      ? [problem('max_bytes', 'has no effect: it applies to streams only')]
      : []),
    ...ofRecords.map((name) =>
      problem('routing_key', `{${name}} differs between the records of a message; use another body`),
    ),
    ...clientTlsProblems(configuration, {
      place,
      hasTls: address.some(({ hasTls }) => hasTls),
      kind: 'amqps and rabbitmq-stream+tls',
    }),
  ];
}

/** The stream protocol publishes to a stream, without an exchange. */
function streamProblems(configuration: RabbitmqConfiguration): readonly (readonly [string, string])[] {
  if (!usesStreamProtocol(configuration)) return [];
  const { queue_type, exchange, routing_key, dead_letter_exchange } = configuration;
  const idle = { exchange: exchange || undefined, routing_key, dead_letter_exchange };
  return [
    ...(queue_type === 'stream' || queue_type === 'existing'
      ? []
      : ([['queue_type', 'must be "stream" or "existing" with a rabbitmq-stream address']] as const)),
    ...Object.entries(idle)
      .filter(([, value]) => value !== undefined)
      .map(([key]) => [key, 'has no effect with a rabbitmq-stream address'] as const),
  ];
}

export function usesStreamProtocol({ address }: Pick<RabbitmqConfiguration, 'address'>): boolean {
  return address.some(({ protocol }) => protocol === 'stream');
}
