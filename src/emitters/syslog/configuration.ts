import { z } from 'zod';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import {
  isPacketAddress,
  parseTransportAddress,
  type TransportAddress,
} from '../../transport/transport-address.ts';
import { MAX_UDP_PAYLOAD_BYTES } from '../../transport/udp-transport.ts';
import { clientTlsProblems, clientTlsShape } from '../client-tls.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { durationOption } from '../option-schemas.ts';
import { messageProblems, syslogMessageShape } from '../syslog-message-options.ts';

/** Default ports: 514 for UDP and TCP (as rsyslog and syslog-ng), 6514 for TLS (RFC 5425). */
const DEFAULT_PORTS = { udp: 514, tcp: 514, tls: 6514 } as const;
const DEFAULT_DATAGRAM_BYTES = 8192;

const address = z.string().transform((text, context) => {
  const parsed = parseSyslogAddress(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({
    code: 'custom',
    message: 'expected udp://host:port, tcp://host:port, tls://host:port, unix:/path or unixgram:/path',
  });
  return z.NEVER;
});

/** The address of a syslog receiver; undefined for anything else. */
export function parseSyslogAddress(text: string): TransportAddress | undefined {
  const port = text.startsWith('tls:') ? DEFAULT_PORTS.tls : DEFAULT_PORTS.tcp;
  const parsed = parseTransportAddress(text, port);
  return parsed === undefined || parsed.kind === 'file' || parsed.kind === 'stdout' ? undefined : parsed;
}

/** docs/syslog-output.md has details and examples. */
export const syslogShape = {
  address: address.meta({
    format: '`udp://host:port`, `tcp://host:port`, `tls://host:port`, `unix:/path`, `unixgram:/path`',
    description: `Address of the receiver. Default port: ${DEFAULT_PORTS.udp}, with TLS ${DEFAULT_PORTS.tls}.`,
  }),
  ...syslogMessageShape,
  framing: z.enum(['octet', 'lf']).optional().meta({
    default: '"octet"',
    description:
      'Streams only. `octet`: a length before each message. `lf`: a line feed after it; line breaks in it become `#012`.',
  }),
  burst: z.int().min(0).max(100_000).optional().meta({
    format: '0 to 100000',
    default: '16',
    description: 'Datagrams only: number of datagrams sent before a pause; 0: no pauses.',
  }),
  burst_pause: durationOption
    .optional()
    .meta({ format: 'duration', default: '"1ms"', description: 'Datagrams only: duration of the pause.' }),
  ...clientTlsShape,
  timeout: durationOption.prefault('10s').meta({
    format: 'duration',
    description: 'Timeout of connecting, including the TLS handshake, and of each write.',
  }),
};

export const SYSLOG_FORMAT = {
  type: 'syslog',
  variable: 'AGGREGATOR_SYSLOG_CONFIGURATION',
  example: '{"address": "tcp://loghost.example:514"}',
  shape: syslogShape,
} as const;

export type SyslogConfiguration = ConfigurationOf<typeof syslogShape>;

export function parseSyslogConfiguration(value: string): readonly ConfiguredEmitter<SyslogConfiguration>[] {
  const configured = parseConfigurations({ ...SYSLOG_FORMAT, value });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index) =>
    problemsOf(configuration, isList ? `${SYSLOG_FORMAT.variable}[${index}]` : SYSLOG_FORMAT.variable),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}

/** The maximum message size if none is configured; undefined: the one of all emitters. */
export function defaultMaxBytes(to: TransportAddress): number | undefined {
  return isPacketAddress(to) ? DEFAULT_DATAGRAM_BYTES : undefined;
}

/** Options without effect for this address, contradictory options and incomplete pairs. */
function problemsOf(configuration: SyslogConfiguration, place: string): readonly ConfigurationProblem[] {
  const { address: to, framing, burst, burst_pause, max_message_bytes = 0 } = configuration;
  const isPacket = isPacketAddress(to);
  const problem = (key: string, message: string) => ({ variable: `${place}.${key}`, message });
  const idle = (key: string, kinds: string) =>
    problem(key, `has no effect: it applies to ${kinds} addresses only`);
  return [
    ...(isPacket && framing !== undefined ? [idle('framing', 'tcp, tls and unix')] : []),
    ...(!isPacket && burst !== undefined ? [idle('burst', 'udp and unixgram')] : []),
    ...(!isPacket && burst_pause !== undefined ? [idle('burst_pause', 'udp and unixgram')] : []),
    ...(isPacket && max_message_bytes > MAX_UDP_PAYLOAD_BYTES
      ? [problem('max_message_bytes', `a datagram has at most ${MAX_UDP_PAYLOAD_BYTES} bytes`)]
      : []),
    ...messageProblems(configuration, place),
    ...clientTlsProblems(configuration, { place, hasTls: to.kind === 'tls' }),
  ];
}
