import { z } from 'zod';
import { clientTlsProblems, clientTlsShape } from '../../../emitters/client-tls.ts';
import { durationOption } from '../../../emitters/option-schemas.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../../runtime/configuration/configuration-error.ts';
import { jsonProblem } from '../../../runtime/configuration/json-problem.ts';
import { schemaOptions } from '../../../runtime/configuration/schema-options.ts';
import { schemaProblems } from '../../../runtime/configuration/schema-problems.ts';
import { brokerName, brokerShape } from '../../../transport/rabbitmq/broker-options.ts';

const MAX_PREFETCH = 1000;

const shape = {
  ...brokerShape,
  queue: brokerName.meta({
    format: 'name',
    description: 'Queue with the record batches. Declared durable, unless `queue_type` is `existing`.',
  }),
  queue_type: z.enum(['quorum', 'classic', 'existing']).default('quorum').meta({
    description: 'Type of the queue. `existing`: the queue must exist.',
  }),
  exchange: z.string().max(255).default('').meta({
    format: 'name',
    description: 'Exchange to which the declared queue is bound. Empty: none.',
  }),
  exchange_type: z.enum(['topic', 'direct', 'fanout', 'headers', 'existing']).default('topic').meta({
    description: 'Type of the exchange, which is declared durable. `existing`: the exchange must exist.',
  }),
  binding_key: z.string().max(255).default('#').meta({
    format: 'text',
    description: 'Binding of the queue to the exchange.',
  }),
  dead_letter_exchange: brokerName.optional().meta({
    format: 'name',
    description:
      'Dead letter exchange of the queue: messages that cannot be accepted are rejected, and the broker publishes them there. ' +
      'Without it they are kept in the state directory.',
  }),
  prefetch: z
    .int()
    .min(1)
    .max(MAX_PREFETCH)
    .default(32)
    .meta({
      format: `1 to ${MAX_PREFETCH}`,
      description: 'Maximum number of messages that are received and not acknowledged.',
    }),
  ...clientTlsShape,
  timeout: durationOption.prefault('10s').meta({
    format: 'duration',
    description: 'Timeout of connecting, including the TLS handshake and the login.',
  }),
};

const schema = z.strictObject(shape);

/** One queue from which record batches are consumed. */
export type RabbitmqIntakeConfiguration = z.output<typeof schema>;

export const RABBITMQ_INTAKE_VARIABLE = 'AGGREGATOR_RABBITMQ_INTAKE_CONFIGURATION';
export const RABBITMQ_INTAKE_EXAMPLE = '{"address": "amqp://broker.example", "queue": "logs"}';
export const RABBITMQ_INTAKE_KEYS = schemaOptions(shape);

/** A JSON object, or a list of them. Throws ConfigurationError with all problems. */
export function parseRabbitmqIntakes(text: string): readonly RabbitmqIntakeConfiguration[] {
  const variable = RABBITMQ_INTAKE_VARIABLE;
  const value = parsed(text);
  const problems: ConfigurationProblem[] = [];
  const entries = Array.isArray(value) ? value : [value];
  const intakes = entries.flatMap((entry, index) => {
    const place = Array.isArray(value) ? `${variable}[${index}]` : variable;
    const result = schema.safeParse(entry);
    if (!result.success) {
      problems.push(...schemaProblems(place, result.error, (path) => (path.length === 0 ? KEYS : [])));
      return [];
    }
    const hasTls = result.data.address.some((each) => each.hasTls);
    problems.push(...clientTlsProblems(result.data, { place, hasTls, kind: 'amqps' }));
    return [result.data];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return intakes;
}

const KEYS = Object.keys(shape);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const message = jsonProblem('a JSON object or a list of objects', text, RABBITMQ_INTAKE_EXAMPLE);
    throw new ConfigurationError([{ variable: RABBITMQ_INTAKE_VARIABLE, message }]);
  }
}
