import { z } from 'zod';
import { levelOf } from '../../protocols/gelf/gelf-level.ts';
import { MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES } from '../../protocols/gelf/gelf-presentation.ts';
import { MAX_DATAGRAM_BYTES } from '../../protocols/gelf/packet-codec.ts';
import { parseByteSize } from '../../runtime/configuration/byte-size.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { durationToMs, parseDuration } from '../../runtime/configuration/duration.ts';
import { fileOf } from '../../runtime/configuration/schema-options.ts';
import { pemText } from '../../runtime/tls.ts';
import { isPacketAddress, parseTransportAddress } from '../../transport/transport-address.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';

const DEFAULT_PORT = 12_201;
/** At this size, 128 chunks carry little more than a minimal message. */
const MIN_CHUNK_SIZE = 128;

const address = z.string().transform((text, context) => {
  const parsed = parseTransportAddress(text, DEFAULT_PORT);
  if (parsed !== undefined && parsed.kind !== 'file' && parsed.kind !== 'stdout') return parsed;
  context.addIssue({
    code: 'custom',
    message: 'expected udp://host:port, tcp://host:port, tls://host:port, unix:/path or unixgram:/path',
  });
  return z.NEVER;
});

const duration = z.string().transform((text, context) => {
  try {
    const ms = durationToMs(parseDuration(text));
    if (ms > 0) return ms;
  } catch {
    // Reported below.
  }
  context.addIssue({ code: 'custom', message: 'expected a duration greater than zero, such as "10s"' });
  return z.NEVER;
});

const level = z.union([z.number(), z.string()]).transform((given, context) => {
  const known = levelOf(given);
  if (known !== undefined) return known;
  context.addIssue({ code: 'custom', message: 'expected 0 to 7, or a name such as "info"' });
  return z.NEVER;
});

const messageBytes = z
  .union([z.number(), z.string().transform(parseByteSize)])
  .refine(
    (bytes) =>
      Number.isInteger(bytes) && Number(bytes) >= MIN_MESSAGE_BYTES && Number(bytes) <= MAX_MESSAGE_BYTES,
    `expected ${MIN_MESSAGE_BYTES} to ${MAX_MESSAGE_BYTES} bytes, or a text such as "1MiB"`,
  )
  .transform(Number);

const pem = z
  .string()
  .transform(pemText)
  .refine((text) => text.includes('-----BEGIN '), 'expected PEM text (for a path, add _file to the key)');
const path = z.string().min(1, 'expected the path of a file');
const name = z.string().min(1);

/** docs/gelf.md has details and examples. */
export const gelfShape = {
  address: address.meta({
    format: '`udp://host:port`, `tcp://host:port`, `tls://host:port`, `unix:/path`, `unixgram:/path`',
    description: `Address of the receiver. Default port: ${DEFAULT_PORT}.`,
  }),
  compression: z
    .enum(['gzip', 'zlib', 'none'])
    .optional()
    .meta({ default: '"gzip"', description: 'Datagrams only.' }),
  compression_level: z
    .int()
    .min(1)
    .max(9)
    .optional()
    .meta({ format: '1 to 9', default: '1', description: '1 is the fastest, 9 compresses most.' }),
  chunk_size: z
    .int()
    .min(MIN_CHUNK_SIZE)
    .max(MAX_DATAGRAM_BYTES)
    .optional()
    .meta({
      format: `${MIN_CHUNK_SIZE} to ${MAX_DATAGRAM_BYTES}`,
      default: '1420',
      description: 'Maximum datagram size in bytes including the header.',
    }),
  burst: z.int().min(0).max(100_000).optional().meta({
    format: '0 to 100000',
    default: '16',
    description: 'Number of datagrams sent before a pause; 0: no pauses.',
  }),
  burst_pause: duration
    .optional()
    .meta({ format: 'duration', default: '"1ms"', description: 'Duration of the pause.' }),
  delimiter: z.enum(['null', 'newline']).optional().meta({
    default: '"null"',
    description: 'Streams only: the delimiter after each message. Graylog expects a NUL byte.',
  }),
  ca: pem.optional().meta({
    format: 'PEM text',
    description: 'TLS only: trusted certificate authorities instead of those of Node.',
  }),
  certificate: pem
    .optional()
    .meta({ format: 'PEM text', description: 'TLS only: the client certificate, followed by its chain.' }),
  key: pem
    .optional()
    .meta({ format: 'PEM text', description: 'TLS only: the private key of the client certificate.' }),
  ca_file: path.optional().meta(fileOf('ca')),
  certificate_file: path.optional().meta(fileOf('certificate')),
  key_file: path.optional().meta(fileOf('key')),
  server_name: name.optional().meta({
    format: 'name',
    description: "TLS only: the expected name in the receiver's certificate, instead of the host.",
  }),
  max_message_bytes: messageBytes.default(2_000_000).meta({
    format: 'bytes, or `"1MiB"`',
    description: 'Maximum size before compression. Longer messages are truncated, marked and counted.',
  }),
  timeout: duration.prefault('10s').meta({
    format: 'duration',
    description: 'Timeout of connecting, including the TLS handshake, and of each write.',
  }),
  host: name.optional().meta({
    format: 'name',
    description: 'Host of records without `host.name`. Default: the name of this host.',
  }),
  level: level
    .default(6)
    .meta({ format: '0 to 7, or a name', description: 'Level of records without a severity.' }),
  booleans: z
    .enum(['string', 'number'])
    .default('string')
    .meta({ description: 'Encoding of `true`: `"true"` or `1`. Graylog drops JSON booleans.' }),
  objects: z
    .enum(['flatten', 'json'])
    .default('flatten')
    .meta({ description: '`{"a": {"b": 1}}` becomes `_a.b`, or `_a` with the JSON as text.' }),
};

export const GELF_FORMAT = {
  type: 'gelf',
  variable: 'AGGREGATOR_GELF_CONFIGURATION',
  example: '{"address": "tcp://graylog.example:12201"}',
  shape: gelfShape,
} as const;

export type GelfConfiguration = ConfigurationOf<typeof gelfShape>;

export function parseGelfConfiguration(value: string): readonly ConfiguredEmitter<GelfConfiguration>[] {
  const configured = parseConfigurations({ ...GELF_FORMAT, value });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index) =>
    contradictions(configuration, isList ? `${GELF_FORMAT.variable}[${index}]` : GELF_FORMAT.variable),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}

type Key = keyof GelfConfiguration;

const DATAGRAM_KEYS: readonly Key[] = [
  'compression',
  'compression_level',
  'chunk_size',
  'burst',
  'burst_pause',
];
const TLS_KEYS: readonly Key[] = [
  'ca',
  'ca_file',
  'certificate',
  'certificate_file',
  'key',
  'key_file',
  'server_name',
];
const PAIRS: readonly (readonly [Key, Key])[] = [
  ['ca', 'ca_file'],
  ['certificate', 'certificate_file'],
  ['key', 'key_file'],
];

/** Options without effect for this address, contradictory options and incomplete pairs. */
function contradictions(configuration: GelfConfiguration, place: string): ConfigurationProblem[] {
  const { kind } = configuration.address;
  const given = (key: Key) => configuration[key] !== undefined;
  const problem = (key: Key, message: string) => ({ variable: `${place}.${key}`, message });
  const idle = [
    ...(isPacketAddress(configuration.address)
      ? []
      : DATAGRAM_KEYS.map((key) => [key, 'udp and unixgram'] as const)),
    ...(isPacketAddress(configuration.address) ? [['delimiter', 'tcp, tls and unix'] as const] : []),
    ...(kind === 'tls' ? [] : TLS_KEYS.map((key) => [key, 'tls'] as const)),
  ];
  const has = (key: 'certificate' | 'key') => given(key) || given(`${key}_file`);
  return [
    ...idle
      .filter(([key]) => given(key))
      .map(([key, kinds]) => problem(key, `has no effect: it applies to ${kinds} addresses only`)),
    ...PAIRS.filter(([text, file]) => given(text) && given(file)).map(([text, file]) =>
      problem(file, `cannot be combined with "${text}"; remove one of them`),
    ),
    ...(has('certificate') === has('key')
      ? []
      : [problem('certificate', 'certificate and key must be set together')]),
  ];
}
