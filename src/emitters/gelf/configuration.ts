import { z } from 'zod';
import { levelOf } from '../../protocols/gelf/gelf-level.ts';
import { MAX_MESSAGE_BYTES, MIN_MESSAGE_BYTES } from '../../protocols/gelf/gelf-presentation.ts';
import { MAX_DATAGRAM_BYTES } from '../../protocols/gelf/packet-codec.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { isPacketAddress, parseTransportAddress } from '../../transport/transport-address.ts';
import { clientTlsProblems, clientTlsShape } from '../client-tls.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { byteSizeOption, durationOption } from '../option-schemas.ts';

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

const level = z.union([z.number(), z.string()]).transform((given, context) => {
  const known = levelOf(given);
  if (known !== undefined) return known;
  context.addIssue({ code: 'custom', message: 'expected 0 to 7, or a name such as "info"' });
  return z.NEVER;
});

const messageBytes = byteSizeOption(MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES, '1MiB');

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
  burst_pause: durationOption
    .optional()
    .meta({ format: 'duration', default: '"1ms"', description: 'Duration of the pause.' }),
  delimiter: z.enum(['null', 'newline']).optional().meta({
    default: '"null"',
    description: 'Streams only: the delimiter after each message. Graylog expects a NUL byte.',
  }),
  ...clientTlsShape,
  max_message_bytes: messageBytes.default(2_000_000).meta({
    format: 'bytes, or `"1MiB"`',
    description: 'Maximum size before compression. Longer messages are truncated, marked and counted.',
  }),
  timeout: durationOption.prefault('10s').meta({
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
/** Options without effect for this address, contradictory options and incomplete pairs. */
function contradictions(configuration: GelfConfiguration, place: string): ConfigurationProblem[] {
  const idle = [
    ...(isPacketAddress(configuration.address)
      ? []
      : DATAGRAM_KEYS.map((key) => [key, 'udp and unixgram'] as const)),
    ...(isPacketAddress(configuration.address) ? [['delimiter', 'tcp, tls and unix'] as const] : []),
  ];
  return [
    ...idle
      .filter(([key]) => configuration[key] !== undefined)
      .map(([key, kinds]) => ({
        variable: `${place}.${key}`,
        message: `has no effect: it applies to ${kinds} addresses only`,
      })),
    ...clientTlsProblems(configuration, { place, hasTls: configuration.address.kind === 'tls' }),
  ];
}
