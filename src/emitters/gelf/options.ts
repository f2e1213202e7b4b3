import type { EmitterOption } from '../emitter.ts';

type Row = readonly [key: string, format: string, standard: string, description: string];

const ROWS: readonly Row[] = [
  [
    'address',
    '`udp://host:port`, `tcp://host:port`, `tls://host:port`, `unix:/path`, `unixgram:/path`',
    '',
    'Address of the receiver; required. Default port: 12201.',
  ],
  ['compression', '`gzip`, `zlib`, `none`', 'gzip', 'Datagrams only.'],
  ['compression_level', '1 to 9', '1', '1 is the fastest, 9 compresses most.'],
  ['chunk_size', '128 to 65507', '1420', 'Maximum datagram size in bytes including the header.'],
  ['burst', 'number', '16', 'Number of datagrams sent before a pause; 0: no pauses.'],
  ['burst_pause', 'duration', '1ms', 'Duration of the pause.'],
  [
    'delimiter',
    '`null`, `newline`',
    'null',
    'Streams only: the delimiter after each message. Graylog expects a NUL byte.',
  ],
  ['ca', 'PEM text', '', 'TLS only: trusted certificate authorities instead of those of Node.'],
  ['certificate', 'PEM text', '', 'TLS only: the client certificate, followed by its chain.'],
  ['key', 'PEM text', '', 'TLS only: the private key of the client certificate.'],
  ['ca_file', 'path', '', 'Alternative to `ca`. All certificate files are read again at SIGHUP.'],
  ['certificate_file', 'path', '', 'Alternative to `certificate`.'],
  ['key_file', 'path', '', 'Alternative to `key`.'],
  [
    'server_name',
    'name',
    '',
    "TLS only: the expected name in the receiver's certificate, instead of the host.",
  ],
  [
    'max_message_bytes',
    'bytes, or `"1MiB"`',
    '2000000',
    'Maximum size before compression. Longer messages are truncated and marked.',
  ],
  ['timeout', 'duration', '10s', 'Timeout of connecting, including the TLS handshake, and of each write.'],
  ['host', 'name', '', 'Host of records without `host.name`. Default: the name of this host.'],
  ['level', '0 to 7, or a name', '6', 'Level of records without a severity.'],
  [
    'booleans',
    '`string`, `number`',
    'string',
    'Encoding of `true`: `"true"` or `1`. Graylog drops JSON booleans.',
  ],
  [
    'objects',
    '`flatten`, `json`',
    'flatten',
    '`{"a": {"b": 1}}` becomes `_a.b`, or `_a` with the JSON as text.',
  ],
];

/** The configuration keys for the docs. docs/gelf.md has details and examples. */
export const GELF_OPTIONS: readonly EmitterOption[] = ROWS.map(([key, format, standard, description]) => ({
  key,
  format,
  description,
  ...(standard !== '' && { default: standard }),
}));
