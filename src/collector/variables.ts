import { type Address, parseAddress } from '../runtime/configuration/address.ts';
import { InvalidValue, type VariableTable } from '../runtime/configuration/configuration.ts';
import { LOG_LEVELS } from '../runtime/configuration/log-level.ts';
import { tlsVariables } from '../runtime/configuration/tls-variables.ts';
import {
  ADDRESS_FORMAT,
  addressValue,
  BOOLEAN_FORMAT,
  booleanValue,
  DURATION_FORMAT,
  durationMs,
  nonEmptyText,
  oneOf,
} from '../runtime/configuration/value-parsers.ts';
import { parseResourceAttributes } from './resource-attributes.ts';

const AGGREGATOR_PORT = 8000;

/** The variables that do not belong to a source. */
export const COLLECTOR_VARIABLES = {
  aggregatorAddresses: {
    name: 'COLLECTOR_AGGREGATOR_ADDRESS',
    flag: '--aggregator-address',
    description: 'Addresses of aggregators. One of them is used; another one when it cannot be reached.',
    format: 'comma-separated `host:port`; without a port, 8000',
    default: `127.0.0.1:${AGGREGATOR_PORT}`,
    example: 'logs-1.example.com:8000,logs-2.example.com:8000',
    parse: addressList,
  },
  aggregatorOrder: {
    name: 'COLLECTOR_AGGREGATOR_ORDER',
    flag: '--aggregator-order',
    description:
      'Which of several aggregators is used. `spread`: each one by an equal share of all collectors, chosen by the id of ' +
      'the collector; `listed`: the first one that can be reached. A collector returns to its first choice after 10 to 15 minutes.',
    format: '`spread` or `listed`',
    default: 'spread',
    example: 'listed',
    parse: oneOf('spread', 'listed'),
  },
  stateDirectory: {
    name: 'COLLECTOR_STATE_DIRECTORY',
    flag: '--state-directory',
    description:
      'Identity and checkpoints. Default: `/var/lib/mega-collector/collector` as root, else ' +
      '`mega-collector/collector` under `$XDG_STATE_HOME` or `~/.local/state`; with `COLLECTOR_ONCE`, ' +
      '`mega-collector/once/collector`.',
    format: 'path',
    example: '/srv/mega-collector/collector',
    parse: nonEmptyText,
  },
  resourceAttributes: {
    name: 'COLLECTOR_RESOURCE_ATTRIBUTES',
    flag: '--resource-attributes',
    description:
      'Attributes of each record of this collector, in addition to `host.name` and `log.file.path`.',
    format: '`key=value,key=value`, percent-encoded as in `OTEL_RESOURCE_ATTRIBUTES`',
    default: '',
    example: 'service.name=shop,deployment.environment.name=production',
    parse: parseResourceAttributes,
  },
  compression: {
    name: 'COLLECTOR_COMPRESSION',
    flag: '--compression',
    description:
      'Compression of batches on the wire and in the queue of the aggregator. `auto`: none for an aggregator on ' +
      'this machine; elsewhere LZ4, unless the link is faster than LZ4.',
    format: '`auto`, `lz4` or `none`',
    default: 'auto',
    example: 'lz4',
    parse: oneOf('auto', 'lz4', 'none'),
  },
  ...tlsVariables('COLLECTOR'),
  httpAddress: {
    name: 'COLLECTOR_HTTP_ADDRESS',
    flag: '--http-address',
    description: 'Listen address for metrics and health (HTTP).',
    format: ADDRESS_FORMAT,
    default: '127.0.0.1:8002',
    example: '0.0.0.0:8002',
    parse: addressValue,
  },
  remoteExplain: {
    name: 'COLLECTOR_REMOTE_EXPLAIN',
    flag: '--remote-explain',
    description:
      'Let the aggregator ask how this collector sees a file, a listener or a sender, for its web page. The answers are ' +
      'those of `mega-collector explain`, but only for files that a source reads or that its patterns match.',
    format: BOOLEAN_FORMAT,
    default: '1',
    example: '0',
    boolean: true,
    parse: booleanValue,
  },
  once: {
    name: 'COLLECTOR_ONCE',
    flag: '--once',
    description: 'Read all existing data, wait until it is accepted, and exit.',
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
      'With `COLLECTOR_ONCE`: maximum time without an aggregator before it exits with an error; 0: no limit.',
    format: DURATION_FORMAT,
    default: '1m',
    example: '10m',
    parse: durationMs,
  },
  shutdownTimeoutMs: {
    name: 'COLLECTOR_SHUTDOWN_TIMEOUT',
    flag: '--shutdown-timeout',
    description: 'Maximum time that a stop waits for the aggregator to accept sent records.',
    format: DURATION_FORMAT,
    default: '10s',
    example: '30s',
    parse: durationMs,
  },
  logLevel: {
    name: 'COLLECTOR_LOG_LEVEL',
    flag: '--log-level',
    description: "Minimum level of the collector's own log.",
    format: LOG_LEVELS.map((level) => `\`${level}\``).join(', '),
    default: 'info',
    example: 'debug',
    parse: oneOf(...LOG_LEVELS),
  },
} as const satisfies VariableTable;

function addressList(text: string): readonly Address[] {
  return text.split(',').map((each) => {
    const address = parseAddress(each.trim(), AGGREGATOR_PORT);
    if (address !== undefined && address.port !== 0) return address;
    throw new InvalidValue('host:port, or several with commas between them');
  });
}
