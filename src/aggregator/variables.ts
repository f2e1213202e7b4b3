import { BYTE_SIZE_FORMAT } from '../runtime/byte-size.ts';
import { InvalidValue, type VariableTable } from '../runtime/configuration.ts';
import { LOG_LEVELS } from '../runtime/log-level.ts';
import { tlsVariables } from '../runtime/tls-variables.ts';
import {
  ADDRESS_FORMAT,
  addressValue,
  byteSizeOfAtLeast,
  DURATION_FORMAT,
  durationMs,
  integerBetween,
  nonEmptyText,
  oneOf,
  positiveDurationMs,
} from '../runtime/value-parsers.ts';
import { NOTIFY_EXAMPLE, notifyConfiguration } from './notify-configuration.ts';

/** Two of the largest batches: with less, intake could stop for good. */
const MIN_QUEUE_BYTES = 8 * 1024 * 1024;

export const DEFAULT_PUBLISH_FREQUENCY_MS = 15_000;

/** As RFC 6750 lets a bearer token look; what is shorter can be guessed. */
function token(text: string): string {
  if (!/^[A-Za-z0-9\-._~+/]{16,511}=*$/.test(text)) {
    throw new InvalidValue('16 to 512 letters, digits and -._~+/=');
  }
  return text;
}

/** Every variable of the aggregator except those of its emitters, which come from their registry. */
export const AGGREGATOR_VARIABLES = {
  listenAddress: {
    name: 'AGGREGATOR_LISTEN_ADDRESS',
    flag: '--listen-address',
    description: 'Where collectors reach the aggregator (gRPC).',
    format: ADDRESS_FORMAT,
    default: '127.0.0.1:8000',
    example: '0.0.0.0:8000',
    parse: addressValue,
  },
  httpAddress: {
    name: 'AGGREGATOR_HTTP_ADDRESS',
    flag: '--http-address',
    description: 'Where metrics, health and the query API are served (HTTP).',
    format: ADDRESS_FORMAT,
    default: '127.0.0.1:8001',
    example: '0.0.0.0:8001',
    parse: addressValue,
  },
  httpToken: {
    name: 'AGGREGATOR_HTTP_TOKEN',
    flag: '--http-token',
    description:
      'What whoever uses the query API has to show (`Authorization: Bearer ...`). Without it the API answers this machine only.',
    format: '16 to 512 letters, digits and `-._~+/=`',
    example: '3f8a1c5e9b7d2046a1c5',
    secret: true,
    parse: token,
  },
  stateDirectory: {
    name: 'AGGREGATOR_STATE_DIRECTORY',
    flag: '--state-directory',
    description:
      'Queue, ledger, cursors and dead letters. Default: `/var/lib/mega-collector/aggregator` as root, else ' +
      '`mega-collector/aggregator` under `$XDG_STATE_HOME` or `~/.local/state`.',
    format: 'path',
    example: '/srv/mega-collector/aggregator',
    parse: nonEmptyText,
  },
  maxBatchSize: {
    name: 'AGGREGATOR_MAX_BATCH_SIZE',
    flag: '--max-batch-size',
    description: 'The most records an emitter is handed at once.',
    format: 'whole number from 1 to 1000000',
    default: '1000',
    example: '5000',
    parse: integerBetween(1, 1_000_000),
  },
  minimumPublishFrequencyMs: {
    name: 'AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY',
    flag: '--minimum-publish-frequency',
    alias: { name: 'AGGREGATOR_BATCH_MAX_WAIT', flag: '--batch-max-wait' },
    description:
      'A batch is emitted at the latest this long after its first record, full or not. Default: `15s`; `1s` for the stores.',
    format: DURATION_FORMAT,
    example: '500ms',
    parse: positiveDurationMs,
  },
  maxConnections: {
    name: 'AGGREGATOR_MAX_CONNECTIONS',
    flag: '--max-connections',
    description:
      'How many connections of collectors there may be. Half of them may be of one address, and half with one certificate.',
    format: 'a whole number from 2 to 65536',
    default: '1024',
    example: '4096',
    parse: integerBetween(2, 65_536),
  },
  maxStreams: {
    name: 'AGGREGATOR_MAX_STREAMS_PER_COLLECTOR',
    flag: '--max-streams-per-collector',
    description:
      'How many streams of one collector the aggregator keeps. Each generation of a file is one, until 30 days after its end. Beyond that, new streams of this collector are refused.',
    format: 'a whole number from 100 to 10000000',
    default: '100000',
    example: '1000000',
    parse: integerBetween(100, 10_000_000),
  },
  queueMaxBytes: {
    name: 'AGGREGATOR_QUEUE_MAX_BYTES',
    flag: '--queue-max-bytes',
    description: 'The most the queue holds on disk for emitters that are behind.',
    format: BYTE_SIZE_FORMAT,
    default: '10GiB',
    example: '100GiB',
    parse: byteSizeOfAtLeast(MIN_QUEUE_BYTES),
  },
  whenFull: {
    name: 'AGGREGATOR_WHEN_FULL',
    flag: '--when-full',
    description:
      'What a full queue does: `stop` makes collectors wait; `drop-oldest` takes the oldest records from the emitter ' +
      'furthest behind, and counts them.',
    format: '`stop` or `drop-oldest`',
    default: 'stop',
    example: 'drop-oldest',
    parse: oneOf('stop', 'drop-oldest'),
  },
  retryCount: {
    name: 'AGGREGATOR_RETRY_COUNT',
    flag: '--retry-count',
    description: 'After how many failed attempts PagerDuty is told and `AGGREGATOR_AFTER_RETRIES` decides.',
    format: 'whole number from 1 to 1000',
    default: '3',
    example: '10',
    parse: integerBetween(1, 1000),
  },
  retryDelayMs: {
    name: 'AGGREGATOR_RETRY_DELAY',
    flag: '--retry-delay',
    description: 'The longest wait before the first retry; doubled for each further one, up to five minutes.',
    format: DURATION_FORMAT,
    default: '5s',
    example: '1s',
    parse: positiveDurationMs,
  },
  afterRetries: {
    name: 'AGGREGATOR_AFTER_RETRIES',
    flag: '--after-retries',
    description:
      'What becomes of a batch after the last retry: `hold` goes on trying, the queue keeps the data; `dead-letter` ' +
      'sets it aside for a replay; `discard` gives it up, and counts it.',
    format: '`hold`, `dead-letter` or `discard`',
    default: 'hold',
    example: 'dead-letter',
    parse: oneOf('hold', 'dead-letter', 'discard'),
  },
  notify: {
    name: 'AGGREGATOR_NOTIFY_CONFIGURATION',
    flag: '--notify-configuration',
    description:
      'How PagerDuty is told of a failure: the integration key, a stable key for the incident, and a name for people. ' +
      'An optional `server` (`host:port`) replaces `events.pagerduty.com`; an optional `ca` (PEM) is trusted as well.',
    format: 'JSON object: `integration_key`, `incident_key`, `identifier`, optional `server`, `ca`',
    example: NOTIFY_EXAMPLE,
    secret: true,
    parse: notifyConfiguration,
  },
  ...tlsVariables('AGGREGATOR'),
  shutdownTimeoutMs: {
    name: 'AGGREGATOR_SHUTDOWN_TIMEOUT',
    flag: '--shutdown-timeout',
    description: 'How long a stop may take to pass on what is held. What is left stays in the queue.',
    format: DURATION_FORMAT,
    default: '10s',
    example: '30s',
    parse: durationMs,
  },
  logLevel: {
    name: 'AGGREGATOR_LOG_LEVEL',
    flag: '--log-level',
    description: "The least important of the aggregator's own log lines that is written.",
    format: LOG_LEVELS.map((level) => `\`${level}\``).join(', '),
    default: 'info',
    example: 'debug',
    parse: oneOf(...LOG_LEVELS),
  },
} as const satisfies VariableTable;
