import { BYTE_SIZE_FORMAT } from '../runtime/configuration/byte-size.ts';
import { InvalidValue, type VariableTable } from '../runtime/configuration/configuration.ts';
import { LOG_LEVELS } from '../runtime/configuration/log-level.ts';
import { tlsVariables } from '../runtime/configuration/tls-variables.ts';
import {
  ADDRESS_FORMAT,
  addressValue,
  BOOLEAN_FORMAT,
  booleanValue,
  byteSizeOfAtLeast,
  DURATION_FORMAT,
  durationMs,
  integerBetween,
  nonEmptyText,
  oneOf,
  positiveDurationMs,
} from '../runtime/configuration/value-parsers.ts';
import {
  parseRabbitmqIntakes,
  RABBITMQ_INTAKE_EXAMPLE,
  RABBITMQ_INTAKE_KEYS,
  RABBITMQ_INTAKE_VARIABLE,
} from './intake/rabbitmq/configuration.ts';
import {
  KUBERNETES_EXAMPLE,
  KUBERNETES_KEYS,
  kubernetesConfiguration,
} from './kubernetes/kubernetes-configuration.ts';
import { NOTIFY_EXAMPLE, NOTIFY_KEYS, notifyConfiguration } from './notify-configuration.ts';

/** Two of the largest batches: with less, the intake could stop permanently. */
const MIN_QUEUE_BYTES = 8 * 1024 * 1024;

export const DEFAULT_PUBLISH_FREQUENCY_MS = 15_000;

/** The form of RFC 6750; a shorter token can be guessed. */
function token(text: string): string {
  if (!/^[A-Za-z0-9\-._~+/]{16,511}=*$/.test(text)) {
    throw new InvalidValue('16 to 512 letters, digits and -._~+/=');
  }
  return text;
}

/** The emitter on whose delivery the answers to collectors depend. undefined: they depend on no emitter. */
function acknowledgement(text: string): { readonly emitter: string } | undefined {
  if (text === 'flushed') return undefined;
  const emitter = /^delivered:(.+)$/.exec(text)?.[1];
  if (emitter === undefined) throw new InvalidValue('`flushed`, or `delivered:` and the name of an emitter');
  return { emitter };
}

/** All variables of the aggregator except those of its emitters, which are in their registry. */
export const AGGREGATOR_VARIABLES = {
  listenAddress: {
    name: 'AGGREGATOR_LISTEN_ADDRESS',
    flag: '--listen-address',
    description: 'Listen address for collectors (gRPC).',
    format: ADDRESS_FORMAT,
    default: '127.0.0.1:8000',
    example: '0.0.0.0:8000',
    parse: addressValue,
  },
  httpAddress: {
    name: 'AGGREGATOR_HTTP_ADDRESS',
    flag: '--http-address',
    description: 'Listen address for the web page, metrics, health and the query API (HTTP).',
    format: ADDRESS_FORMAT,
    default: '127.0.0.1:8001',
    example: '0.0.0.0:8001',
    parse: addressValue,
  },
  httpToken: {
    name: 'AGGREGATOR_HTTP_TOKEN',
    flag: '--http-token',
    description:
      'Token for the query API (`Authorization: Bearer ...`). Without it the API accepts only clients on this machine.',
    format: '16 to 512 letters, digits and `-._~+/=`',
    example: '3f8a1c5e9b7d2046a1c5',
    secret: true,
    parse: token,
  },
  ui: {
    name: 'AGGREGATOR_UI',
    flag: '--ui',
    description: 'Serve the web page at the HTTP address.',
    format: BOOLEAN_FORMAT,
    default: '1',
    example: '0',
    boolean: true,
    parse: booleanValue,
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
    description: 'Maximum number of records in a batch.',
    format: 'whole number from 1 to 1000000',
    default: '1000',
    example: '5000',
    parse: integerBetween(1, 1_000_000),
  },
  minimumPublishFrequencyMs: {
    name: 'AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY',
    flag: '--minimum-publish-frequency',
    alias: { name: 'AGGREGATOR_BATCH_MAX_WAIT', flag: '--batch-max-wait' },
    description: 'Maximum time that a batch waits for more records. Default: `15s`; `1s` for the stores.',
    format: DURATION_FORMAT,
    example: '500ms',
    parse: positiveDurationMs,
  },
  maxConnections: {
    name: 'AGGREGATOR_MAX_CONNECTIONS',
    flag: '--max-connections',
    description:
      'Maximum number of collector connections. One address, and one certificate, may use half of them.',
    format: 'a whole number from 2 to 65536',
    default: '1024',
    example: '4096',
    parse: integerBetween(2, 65_536),
  },
  rabbitmqIntakes: {
    name: RABBITMQ_INTAKE_VARIABLE,
    flag: '--rabbitmq-intake-configuration',
    description:
      'Queues of RabbitMQ from which the aggregator consumes record batches, in addition to the collectors that connect to it.',
    format: 'JSON object or list of objects',
    keys: RABBITMQ_INTAKE_KEYS,
    example: RABBITMQ_INTAKE_EXAMPLE,
    secret: true,
    parse: parseRabbitmqIntakes,
  },
  maxStreams: {
    name: 'AGGREGATOR_MAX_STREAMS_PER_COLLECTOR',
    flag: '--max-streams-per-collector',
    description:
      'Maximum number of streams of one collector. Each generation of a file is a stream until 30 days after its end. New streams above the limit are rejected.',
    format: 'a whole number from 100 to 10000000',
    default: '100000',
    example: '1000000',
    parse: integerBetween(100, 10_000_000),
  },
  queueMaxBytes: {
    name: 'AGGREGATOR_QUEUE_MAX_BYTES',
    flag: '--queue-max-bytes',
    description: 'Maximum size of the queue on disk.',
    format: BYTE_SIZE_FORMAT,
    default: '10GiB',
    example: '100GiB',
    parse: byteSizeOfAtLeast(MIN_QUEUE_BYTES),
  },
  whenFull: {
    name: 'AGGREGATOR_WHEN_FULL',
    flag: '--when-full',
    description:
      'Behaviour of a full queue: `stop` makes collectors wait; `drop-oldest` drops the oldest records of the emitter ' +
      'with the most undelivered data, and counts them.',
    format: '`stop` or `drop-oldest`',
    default: 'stop',
    example: 'drop-oldest',
    parse: oneOf('stop', 'drop-oldest'),
  },
  retryCount: {
    name: 'AGGREGATOR_RETRY_COUNT',
    flag: '--retry-count',
    description:
      'Number of failed attempts before PagerDuty is notified and `AGGREGATOR_AFTER_RETRIES` applies.',
    format: 'whole number from 1 to 1000',
    default: '3',
    example: '10',
    parse: integerBetween(1, 1000),
  },
  retryDelayMs: {
    name: 'AGGREGATOR_RETRY_DELAY',
    flag: '--retry-delay',
    description: 'Maximum delay before the first retry; doubled for each further one, up to five minutes.',
    format: DURATION_FORMAT,
    default: '5s',
    example: '1s',
    parse: positiveDurationMs,
  },
  afterRetries: {
    name: 'AGGREGATOR_AFTER_RETRIES',
    flag: '--after-retries',
    description:
      'Handling of a batch after the last retry: `hold` keeps trying while records stay queued; `dead-letter` ' +
      'stores it for a replay; `discard` discards and counts it.',
    format: '`hold`, `dead-letter` or `discard`',
    default: 'hold',
    example: 'dead-letter',
    parse: oneOf('hold', 'dead-letter', 'discard'),
  },
  acknowledge: {
    name: 'AGGREGATOR_ACKNOWLEDGE',
    flag: '--acknowledge',
    description:
      'When a collector may forget records: `flushed` after they are on the disk of the aggregator; `delivered:NAME` ' +
      'after the emitter NAME has delivered them, so that the loss of that disk loses nothing.',
    format: '`flushed`, or `delivered:` and the name of an emitter',
    default: 'flushed',
    example: 'delivered:postgres',
    parse: acknowledgement,
  },
  filterDirectory: {
    name: 'AGGREGATOR_FILTER_DIRECTORY',
    flag: '--filter-directory',
    description:
      'Directory of the filters: files `NAME.filter`. An emitter uses the filter that its configuration names, else ' +
      '`default.filter`, if there is one. Changed files are used at once, if they are valid.',
    format: 'path',
    example: '/etc/mega-collector/filters',
    parse: nonEmptyText,
  },
  filterGeoip: {
    name: 'AGGREGATOR_FILTER_GEOIP_DATABASE',
    flag: '--filter-geoip-database',
    description: 'MaxMind database (`.mmdb`) for `geoip` in filters.',
    format: 'path',
    example: '/usr/share/GeoIP/GeoLite2-City.mmdb',
    parse: nonEmptyText,
  },
  kubernetes: {
    name: 'AGGREGATOR_KUBERNETES_CONFIGURATION',
    flag: '--kubernetes-configuration',
    description:
      'Watch the pods of a Kubernetes cluster, and keep the table `kubernetes-pods.csv` of their labels for `lookup` in filters.',
    format: 'JSON object',
    keys: KUBERNETES_KEYS,
    example: KUBERNETES_EXAMPLE,
    parse: kubernetesConfiguration,
  },
  notify: {
    name: 'AGGREGATOR_NOTIFY_CONFIGURATION',
    flag: '--notify-configuration',
    description: 'PagerDuty notifications.',
    format: 'JSON object',
    keys: NOTIFY_KEYS,
    example: NOTIFY_EXAMPLE,
    secret: true,
    parse: notifyConfiguration,
  },
  ...tlsVariables('AGGREGATOR'),
  shutdownTimeoutMs: {
    name: 'AGGREGATOR_SHUTDOWN_TIMEOUT',
    flag: '--shutdown-timeout',
    description: 'Maximum time to deliver queued records during a stop. The rest stays in the queue.',
    format: DURATION_FORMAT,
    default: '10s',
    example: '30s',
    parse: durationMs,
  },
  logLevel: {
    name: 'AGGREGATOR_LOG_LEVEL',
    flag: '--log-level',
    description: "Minimum level of the aggregator's own log.",
    format: LOG_LEVELS.map((level) => `\`${level}\``).join(', '),
    default: 'info',
    example: 'debug',
    parse: oneOf(...LOG_LEVELS),
  },
} as const satisfies VariableTable;
