import { z } from 'zod';
import { formatNamed } from '../../../formats/registry.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../../runtime/configuration/configuration-error.ts';
import { jsonProblem } from '../../../runtime/configuration/json-problem.ts';
import { fileOf, schemaOptions } from '../../../runtime/configuration/schema-options.ts';
import { schemaProblems } from '../../../runtime/configuration/schema-problems.ts';
import { brokerName, brokerShape } from '../../../transport/rabbitmq/broker-options.ts';

const MAX_PREFETCH = 10_000;

const shape = {
  ...brokerShape,
  queue: brokerName.meta({ format: 'name', description: 'Queue whose messages become records.' }),
  queue_type: z.enum(['existing', 'quorum', 'classic', 'stream']).default('existing').meta({
    description: 'Type of the queue. `existing`: the queue must exist. Otherwise it is declared durable.',
  }),
  offset: z
    .union([
      z.enum(['first', 'last', 'next']),
      z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
    ])
    .optional()
    .meta({
      format: '`first`, `last`, `next` or a time such as `2026-11-28T00:00:00Z`',
      description:
        'Streams only, and required for them: where reading begins at the first start. Later starts continue after the last message that is on disk.',
    }),
  exchange: z.string().max(255).default('').meta({
    format: 'name',
    description: 'Exchange to which a declared queue is bound. Empty: none. The exchange must exist.',
  }),
  binding_key: z.string().max(255).default('#').meta({
    format: 'text',
    description: 'Binding of the queue to the exchange.',
  }),
  format: z
    .string()
    .default('plain')
    .refine((name) => formatNamed(name).name === name, 'expected the name of a format')
    .meta({ format: 'name of a format', description: 'Format in which the aggregator parses the records.' }),
  identity: z.literal('message_id').optional().meta({
    format: '`"message_id"`',
    description:
      'A message with the identity and the bytes of an earlier one is a repetition, and is dropped. Without it, a message that the broker delivers again is marked with `megacollector.repeated`.',
  }),
  resource: z
    .record(z.string(), z.string())
    .default({})
    .meta({ format: 'object of texts', description: 'Resource attributes that are added to every record.' }),
  prefetch: z
    .int()
    .min(1)
    .max(MAX_PREFETCH)
    .default(500)
    .meta({
      format: `1 to ${MAX_PREFETCH}`,
      description: 'Maximum number of messages that are received and not acknowledged.',
    }),
  ca_file: z
    .string()
    .min(1)
    .optional()
    .meta({ format: 'path', description: 'TLS only: trusted certificate authorities, as PEM.' }),
  certificate_file: z.string().min(1).optional().meta({
    format: 'path',
    description: 'TLS only: the client certificate, followed by its chain, as PEM.',
  }),
  key_file: z
    .string()
    .min(1)
    .optional()
    .meta({ ...fileOf('key'), description: 'TLS only: the private key of the client certificate, as PEM.' }),
  server_name: z.string().min(1).optional().meta({
    format: 'name',
    description: "TLS only: the expected name in the broker's certificate, instead of the host.",
  }),
};

const schema = z.strictObject(shape);

/** One queue of another program. */
export type RabbitmqQueueConfiguration = z.output<typeof schema>;

export const RABBITMQ_SOURCE_KEYS = schemaOptions(shape);
export const RABBITMQ_SOURCE_EXAMPLE =
  '[{"address": "amqp://broker.example", "queue": "audit", "format": "json"}]';

/** A JSON list, or one object. Throws ConfigurationError with all problems. */
export function parseRabbitmqQueues(text: string, variable: string): readonly RabbitmqQueueConfiguration[] {
  const value = parsed(text, variable);
  const problems: ConfigurationProblem[] = [];
  const entries = Array.isArray(value) ? value : [value];
  const queues = entries.flatMap((entry, index) => {
    const place = Array.isArray(value) ? `${variable}[${index}]` : variable;
    const result = schema.safeParse(entry);
    if (result.success) {
      problems.push(...tlsProblems(result.data, place), ...streamProblems(result.data, place));
      return [result.data];
    }
    problems.push(...schemaProblems(place, result.error, (path) => (path.length === 0 ? KEYS : [])));
    return [];
  });
  if (entries.length === 0) problems.push({ variable, message: 'expected at least one queue in the list' });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return queues;
}

const KEYS = Object.keys(shape);

function tlsProblems(queue: RabbitmqQueueConfiguration, place: string): readonly ConfigurationProblem[] {
  const { address, certificate_file, key_file } = queue;
  const hasTls = address.some((each) => each.hasTls);
  const keys = ['ca_file', 'certificate_file', 'key_file', 'server_name'] as const;
  const idle = hasTls ? [] : keys.filter((key) => queue[key] !== undefined);
  return [
    ...idle.map((key) => ({
      variable: `${place}.${key}`,
      message: 'has no effect: it applies to amqps addresses only',
    })),
    ...((certificate_file === undefined) === (key_file === undefined)
      ? []
      : [{ variable: `${place}.certificate_file`, message: 'certificate and key must be set together' }]),
  ];
}

function streamProblems(queue: RabbitmqQueueConfiguration, place: string): readonly ConfigurationProblem[] {
  const { queue_type, offset, identity } = queue;
  const isQueue = queue_type === 'quorum' || queue_type === 'classic';
  return [
    ...(queue_type === 'stream' && offset === undefined
      ? [{ variable: `${place}.offset`, message: 'is required for a stream' }]
      : []),
    ...(isQueue && offset !== undefined
      ? [{ variable: `${place}.offset`, message: 'has no effect: it applies to streams only' }]
      : []),
    ...(offset !== undefined && identity !== undefined
      ? [{ variable: `${place}.identity`, message: 'has no effect: a stream is read by its offsets' }]
      : []),
  ];
}

function parsed(text: string, variable: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const message = jsonProblem('a JSON list of objects', text, RABBITMQ_SOURCE_EXAMPLE);
    throw new ConfigurationError([{ variable, message }]);
  }
}
