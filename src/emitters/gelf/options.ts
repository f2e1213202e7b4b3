import type { EmitterOption } from '../emitter.ts';

type Row = readonly [key: string, format: string, standard: string, description: string];

const ROWS: readonly Row[] = [
  [
    'address',
    '`udp://host:port`, `tcp://host:port`, `tls://host:port`, `unix:/path`, `unixgram:/path`',
    '',
    'The receiver; required. Without a port: 12201.',
  ],
  ['compression', '`gzip`, `zlib`, `none`', 'gzip', 'Datagrams only.'],
  ['compression_level', '1 to 9', '1', 'From fast to small.'],
  ['chunk_size', '128 to 65507', '1420', 'The largest datagram in bytes, header included.'],
  ['burst', 'number', '16', 'Datagrams that go without a pause; 0: no pauses.'],
  ['burst_pause', 'duration', '1ms', 'The pause.'],
  [
    'delimiter',
    '`null`, `newline`',
    'null',
    'Streams only: what ends a message. Graylog expects a NUL byte.',
  ],
  ['ca', 'PEM text', '', "TLS only: the authorities to trust, instead of Node's."],
  ['certificate', 'PEM text', '', 'TLS only: the certificate to show, then its chain.'],
  ['key', 'PEM text', '', 'TLS only: its private key.'],
  ['ca_file', 'path', '', 'Instead of `ca`. Such files are read again at SIGHUP.'],
  ['certificate_file', 'path', '', 'Instead of `certificate`.'],
  ['key_file', 'path', '', 'Instead of `key`.'],
  [
    'server_name',
    'name',
    '',
    "TLS only: the name that the receiver's certificate must be for, instead of the host.",
  ],
  [
    'max_message_bytes',
    'bytes, or `"1MiB"`',
    '2000000',
    'Before compression. What is longer is cut, with a marker.',
  ],
  ['timeout', 'duration', '10s', 'For a connection with its handshake, and for each write.'],
  ['host', 'name', '', 'Of records that have no `host.name`, instead of the name of this host.'],
  ['level', '0 to 7, or a name', '6', 'Of records that have no severity.'],
  [
    'booleans',
    '`string`, `number`',
    'string',
    'How `true` is sent: `"true"` or `1`. Graylog drops JSON\'s own.',
  ],
  [
    'objects',
    '`flatten`, `json`',
    'flatten',
    '`{"a": {"b": 1}}` becomes `_a.b`, or `_a` with the JSON as text.',
  ],
];

/** The keys of the configuration, as the docs show them. More of each, and examples: docs/gelf.md. */
export const GELF_OPTIONS: readonly EmitterOption[] = ROWS.map(([key, format, standard, description]) => ({
  key,
  format,
  description,
  ...(standard !== '' && { default: standard }),
}));
