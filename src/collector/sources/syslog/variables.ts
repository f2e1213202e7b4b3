import { BYTE_SIZE_FORMAT } from '../../../runtime/configuration/byte-size.ts';
import type { VariableTable } from '../../../runtime/configuration/configuration.ts';
import type { SchemaOption } from '../../../runtime/configuration/schema-options.ts';
import { byteSizeOfAtLeast } from '../../../runtime/configuration/value-parsers.ts';
import { LISTEN_FORMAT } from './listen-address.ts';
import { listenersFromAddresses, parseListenerConfigurations } from './listener-configuration.ts';
import { IDENTITY_FORMAT } from './message-identity.ts';

/** The keys of `entryShape` in listener-configuration.ts. */
const LISTENER_KEYS: readonly SchemaOption[] = [
  {
    key: 'listen',
    format: LISTEN_FORMAT,
    isRequired: true,
    description: 'Where to listen. Without a host: the loopback address.',
  },
  {
    key: 'framing',
    format: '`"auto"`, `"octet"`, `"lf"` or `"nul"`',
    default: '"auto"',
    isRequired: false,
    description: 'How messages end on TCP, TLS and Unix streams. `auto` decides for each message.',
  },
  {
    key: 'format',
    format: 'name of a format',
    default: '"syslog"',
    isRequired: false,
    description: 'Format in which the aggregator parses the records.',
  },
  {
    key: 'timezone',
    format: 'IANA name',
    default: '"UTC"',
    isRequired: false,
    description: 'Time zone of times without a zone.',
  },
  {
    key: 'timezones',
    format: 'object: network to IANA name',
    isRequired: false,
    description: 'Time zones of the senders in a network: `{"10.1.0.0/16": "Asia/Tokyo"}`.',
  },
  {
    key: 'max_message',
    format: 'byte size',
    default: '"256KiB"',
    isRequired: false,
    description: 'Kept part of a message, up to 1 MiB. A longer message is truncated and marked.',
  },
  {
    key: 'max_connections',
    format: 'number',
    default: '1000',
    isRequired: false,
    description: 'Maximum number of connections at the same time.',
  },
  {
    key: 'allow',
    format: 'list of networks',
    isRequired: false,
    description: 'Addresses that may send. Default: all.',
  },
  {
    key: 'certificate_file',
    format: 'path',
    isRequired: false,
    description: 'Certificate and its chain, as PEM. Required for TLS. Reloaded when it changes.',
  },
  {
    key: 'key_file',
    format: 'path',
    isRequired: false,
    description: 'Private key, as PEM. Required for TLS.',
  },
  {
    key: 'ca_file',
    format: 'path',
    isRequired: false,
    description: 'Authorities of client certificates, as PEM.',
  },
  {
    key: 'client_certificate',
    format: '`"none"`, `"optional"` or `"required"`',
    isRequired: false,
    description: 'Default: `required` with `ca_file` or `permitted_peers`, otherwise `none`.',
  },
  {
    key: 'permitted_peers',
    format: 'list of names or fingerprints',
    isRequired: false,
    description:
      'Names in client certificates (`*.example.com`) and fingerprints (`SHA256:AB:CD:...`). Default: all verified ones.',
  },
  {
    key: 'resource',
    format: 'object of texts',
    isRequired: false,
    description: 'Resource attributes that are added to every record.',
  },
  {
    key: 'on_resend',
    format: '`"mark"` or `"keep"`',
    default: '"mark"',
    isRequired: false,
    description:
      'RELP: mark messages that a client sends again after a broken connection with `megacollector.repeated`, or keep them unmarked.',
  },
  {
    key: 'identity',
    format: IDENTITY_FORMAT,
    isRequired: false,
    description:
      'RELP: where a message has its identity. A message of the same sender with the same identity and the same bytes is a ' +
      'repetition: it is answered and dropped. `megacollector`: the element that the emitters `syslog` and `relp` write ' +
      'with `identify`.',
  },
  {
    key: 'socket_mode',
    format: 'octal number',
    default: '"0666"',
    isRequired: false,
    description: 'Permissions of a Unix socket.',
  },
  {
    key: 'pack',
    format: 'list of rules',
    isRequired: false,
    description:
      'Merges records of one sender to one record. The first rule that applies is used. `if`: an expression that a record must match. `{"by": "time", "window": "250ms"}`: ' +
      'records within a time after the first one. `{"by": "start", "formats": ["$DATETIME $WORD [$INT]"]}`: a record whose ' +
      'message begins with a format, and the records after it that do not. `key`: attributes that must be the same, by ' +
      'default `["network.peer.address", "host.name", "service.name"]`. Limits: `max_age` (5s), `max_records` (500), ' +
      '`max_bytes` (64KiB).',
  },
  {
    key: 'receive_buffer',
    format: 'byte size',
    default: '"8MiB"',
    isRequired: false,
    description: 'UDP: size of the buffer in the kernel, limited by `net.core.rmem_max`.',
  },
];

/** The variables of the source `syslog`. */
export const SYSLOG_VARIABLES = {
  addresses: {
    name: 'COLLECTOR_SYSLOG',
    flag: '--syslog',
    description:
      'Addresses to receive syslog at, with default options. Without a host: the loopback address.',
    format: `list of ${LISTEN_FORMAT}, separated by blanks or commas`,
    example: 'udp://:514 tcp://:601 relp://:2514',
    parse: (text: string) => listenersFromAddresses(text, 'COLLECTOR_SYSLOG'),
  },
  configuration: {
    name: 'COLLECTOR_SYSLOG_CONFIGURATION',
    flag: '--syslog-configuration',
    file: true,
    description: 'Addresses to receive syslog at, with all options. Adds to `COLLECTOR_SYSLOG`.',
    format: 'JSON list of objects; each describes a listener',
    keys: LISTENER_KEYS,
    example: '[{"listen": "udp://0.0.0.0:514", "allow": ["10.0.0.0/8"], "timezone": "Europe/Zurich"}]',
    parse: (text: string) => parseListenerConfigurations(text, 'COLLECTOR_SYSLOG_CONFIGURATION'),
  },
  syslogJournalMaxBytes: {
    name: 'COLLECTOR_SYSLOG_JOURNAL_MAX_BYTES',
    flag: '--syslog-journal-max-bytes',
    description:
      'Maximum size on disk of syslog records that wait for the aggregator. Above it, TCP and RELP senders wait, and UDP messages are dropped and reported.',
    format: BYTE_SIZE_FORMAT,
    default: '1GiB',
    example: '10GiB',
    parse: byteSizeOfAtLeast(16 * 1024 * 1024),
  },
} as const satisfies VariableTable;
