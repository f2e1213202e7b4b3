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
import { pemText } from '../../runtime/tls.ts';
import { isPacketAddress, parseTransportAddress } from '../../transport/transport-address.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';

export const GELF_VARIABLE = 'AGGREGATOR_GELF_CONFIGURATION';

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

export const gelfShape = {
  address,
  /** Datagrams only. Default gzip. */
  compression: z.enum(['gzip', 'zlib', 'none']).optional(),
  compression_level: z.int().min(1).max(9).optional(),
  /** Maximum datagram size including the header. Default 1420. */
  chunk_size: z.int().min(MIN_CHUNK_SIZE).max(MAX_DATAGRAM_BYTES).optional(),
  /** Number of datagrams sent before a pause (0: no pauses), and its duration. */
  burst: z.int().min(0).max(100_000).optional(),
  burst_pause: duration.optional(),
  /** Streams only. Default null. */
  delimiter: z.enum(['null', 'newline']).optional(),
  /** TLS only: trusted authorities, client certificate, expected name in the receiver's certificate. */
  ca: pem.optional(),
  ca_file: path.optional(),
  certificate: pem.optional(),
  certificate_file: path.optional(),
  key: pem.optional(),
  key_file: path.optional(),
  server_name: z.string().min(1).optional(),
  /** Before compression. Longer messages are truncated, marked and counted. */
  max_message_bytes: messageBytes.default(2_000_000),
  /** Timeout of connecting, and of each write. */
  timeout: duration.default(10_000),
  /** Defaults for records without these. Default host: the name of this host. */
  host: z.string().min(1).optional(),
  level: level.default(6),
  booleans: z.enum(['string', 'number']).default('string'),
  objects: z.enum(['flatten', 'json']).default('flatten'),
};

export type GelfConfiguration = ConfigurationOf<typeof gelfShape>;

export function parseGelfConfiguration(value: string): readonly ConfiguredEmitter<GelfConfiguration>[] {
  const configured = parseConfigurations({ variable: GELF_VARIABLE, type: 'gelf', value, shape: gelfShape });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index) =>
    contradictions(configuration, isList ? `${GELF_VARIABLE}[${index}]` : GELF_VARIABLE),
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
