import { BYTE_SIZE_FORMAT } from '../../../runtime/configuration/byte-size.ts';
import type { VariableTable } from '../../../runtime/configuration/configuration.ts';
import { byteSizeOfAtLeast } from '../../../runtime/configuration/value-parsers.ts';
import { parseRabbitmqQueues, RABBITMQ_SOURCE_EXAMPLE, RABBITMQ_SOURCE_KEYS } from './configuration.ts';

const VARIABLE = 'COLLECTOR_RABBITMQ_CONFIGURATION';

/** The variables of the source `rabbitmq`. */
export const RABBITMQ_SOURCE_VARIABLES = {
  rabbitmqQueues: {
    name: VARIABLE,
    flag: '--rabbitmq-configuration',
    description:
      'Queues of RabbitMQ with messages of other programs. A message is acknowledged when it is on disk.',
    format: 'JSON list of objects',
    keys: RABBITMQ_SOURCE_KEYS,
    example: RABBITMQ_SOURCE_EXAMPLE,
    secret: true,
    parse: (text: string) => parseRabbitmqQueues(text, VARIABLE),
  },
  rabbitmqJournalMaxBytes: {
    name: 'COLLECTOR_RABBITMQ_JOURNAL_MAX_BYTES',
    flag: '--rabbitmq-journal-max-bytes',
    description:
      'Maximum size on disk of messages that wait for the aggregator. Above it, messages stay at the broker.',
    format: BYTE_SIZE_FORMAT,
    default: '1GiB',
    example: '10GiB',
    parse: byteSizeOfAtLeast(16 * 1024 * 1024),
  },
} as const satisfies VariableTable;
