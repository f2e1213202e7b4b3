import { type Address, parseAddress } from '../runtime/address.ts';
import { InvalidValue, type VariableTable } from '../runtime/configuration.ts';
import { LOG_LEVELS } from '../runtime/log-level.ts';
import { tlsVariables } from '../runtime/tls-variables.ts';
import {
  ADDRESS_FORMAT,
  addressValue,
  BOOLEAN_FORMAT,
  booleanValue,
  DURATION_FORMAT,
  durationMs,
  nonEmptyText,
  oneOf,
} from '../runtime/value-parsers.ts';
import { parseResourceAttributes } from './resource-attributes.ts';
import { PG_LOGFEBE_VARIABLES } from './sources/pg-logfebe/pg-logfebe-variables.ts';
import { parseTailConfiguration, tailEntriesFromGlobs } from './sources/tail/tail-configuration.ts';

const AGGREGATOR_PORT = 8000;

/** Every variable of the collector. */
export const COLLECTOR_VARIABLES = {
  tail: {
    name: 'COLLECTOR_TAIL',
    flag: '--tail',
    description: 'The files to follow, as plain text lines. Quote globs, or the shell will expand them.',
    format: 'comma-separated globs',
    example: '/var/log/nginx/*.log,/var/log/syslog',
    parse: (text: string) => tailEntriesFromGlobs(globList(text)),
  },
  tailConfiguration: {
    name: 'COLLECTOR_TAIL_CONFIGURATION',
    flag: '--tail-configuration',
    file: true,
    description:
      'The files to follow, with everything that can be said about them. Adds to `COLLECTOR_TAIL`.',
    format:
      'JSON list of objects: `paths`, `exclude`, `format`, `resource`, `start_at`, `ignore_older`, `multiline`',
    example:
      '[{"paths": ["/var/log/nginx/access.log*"], "format": "combined", "resource": {"service.name": "web"}}]',
    parse: (text: string) => parseTailConfiguration(text, 'COLLECTOR_TAIL_CONFIGURATION'),
  },
  sourceFile: {
    name: 'COLLECTOR_SOURCE',
    flag: '--source',
    description:
      'An access log to read: short for a `COLLECTOR_TAIL_CONFIGURATION` of this one file, with the format `combined`, ' +
      'and `COLLECTOR_ONCE`. How much was read is printed in the end.',
    format: 'path',
    example: '/var/log/nginx/access.log',
    parse: nonEmptyText,
  },
  watch: {
    name: 'COLLECTOR_WATCH',
    flag: '--watch',
    description: 'Go on following the file of `COLLECTOR_SOURCE`, also when there is none yet.',
    format: BOOLEAN_FORMAT,
    default: '0',
    example: '1',
    boolean: true,
    parse: booleanValue,
  },
  now: {
    name: 'COLLECTOR_NOW',
    flag: '--now',
    description:
      'The records of `COLLECTOR_SOURCE` happen when they are read, whatever time they say: for trying things out with ' +
      'an old log.',
    format: BOOLEAN_FORMAT,
    default: '0',
    example: '1',
    boolean: true,
    parse: booleanValue,
  },
  ...PG_LOGFEBE_VARIABLES,
  aggregatorAddresses: {
    name: 'COLLECTOR_AGGREGATOR_ADDRESS',
    flag: '--aggregator-address',
    description: 'Where the aggregator listens. Of several, the first that can be reached is used.',
    format: 'comma-separated `host:port`; without a port, 8000',
    default: `127.0.0.1:${AGGREGATOR_PORT}`,
    example: 'logs-1.example.com:8000,logs-2.example.com:8000',
    parse: addressList,
  },
  stateDirectory: {
    name: 'COLLECTOR_STATE_DIRECTORY',
    flag: '--state-directory',
    description:
      'Identity and checkpoints. Default: `/var/lib/mega-collector/collector` (`once/collector` with `COLLECTOR_ONCE`) as root, else ' +
      '`mega-collector/collector` under `$XDG_STATE_HOME` or `~/.local/state`.',
    format: 'path',
    example: '/srv/mega-collector/collector',
    parse: nonEmptyText,
  },
  resourceAttributes: {
    name: 'COLLECTOR_RESOURCE_ATTRIBUTES',
    flag: '--resource-attributes',
    description:
      'What every record of this collector says of its origin, besides `host.name` and `log.file.path`.',
    format: '`key=value,key=value`, percent-encoded as in `OTEL_RESOURCE_ATTRIBUTES`',
    default: '',
    example: 'service.name=shop,deployment.environment.name=production',
    parse: parseResourceAttributes,
  },
  compression: {
    name: 'COLLECTOR_COMPRESSION',
    flag: '--compression',
    description: 'How batches are compressed on the wire and in the queue of the aggregator.',
    format: '`lz4` or `none`',
    default: 'lz4',
    example: 'none',
    parse: oneOf('lz4', 'none'),
  },
  ...tlsVariables('COLLECTOR'),
  httpAddress: {
    name: 'COLLECTOR_HTTP_ADDRESS',
    flag: '--http-address',
    description: 'Where metrics and health are served (HTTP).',
    format: ADDRESS_FORMAT,
    default: '127.0.0.1:8002',
    example: '0.0.0.0:8002',
    parse: addressValue,
  },
  once: {
    name: 'COLLECTOR_ONCE',
    flag: '--once',
    description: 'Read what is there now, wait until all of it is accepted, and exit.',
    format: BOOLEAN_FORMAT,
    default: '0',
    example: '1',
    boolean: true,
    parse: booleanValue,
  },
  aggregatorTimeoutMs: {
    name: 'COLLECTOR_AGGREGATOR_TIMEOUT',
    flag: '--aggregator-timeout',
    description:
      'With `COLLECTOR_ONCE`: how long it may be without any aggregator before it ends with an error; 0: without end.',
    format: DURATION_FORMAT,
    default: '1m',
    example: '10m',
    parse: durationMs,
  },
  shutdownTimeoutMs: {
    name: 'COLLECTOR_SHUTDOWN_TIMEOUT',
    flag: '--shutdown-timeout',
    description: 'How long a stop may wait for the aggregator to accept what has been sent.',
    format: DURATION_FORMAT,
    default: '10s',
    example: '30s',
    parse: durationMs,
  },
  logLevel: {
    name: 'COLLECTOR_LOG_LEVEL',
    flag: '--log-level',
    description: "The least important of the collector's own log lines that is written.",
    format: LOG_LEVELS.map((level) => `\`${level}\``).join(', '),
    default: 'info',
    example: 'debug',
    parse: oneOf(...LOG_LEVELS),
  },
} as const satisfies VariableTable;

/** Commas separate, except inside of braces: `/var/log/{a,b}.log` is one glob. */
function globList(text: string): readonly string[] {
  const globs = text.split(/,(?![^{]*\})/).map((glob) => glob.trim());
  if (globs.some((glob) => glob === '')) throw new InvalidValue('globs with single commas between them');
  return globs;
}

function addressList(text: string): readonly Address[] {
  return text.split(',').map((each) => {
    const address = parseAddress(each.trim(), AGGREGATOR_PORT);
    if (address !== undefined && address.port !== 0) return address;
    throw new InvalidValue('host:port, or several with commas between them');
  });
}
