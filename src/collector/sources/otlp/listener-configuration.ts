import { z } from 'zod';
import { LIMITS } from '../../../records/limits.ts';
import { EMPTY_RESOURCE, type Resource } from '../../../records/resource.ts';
import { parseByteSize } from '../../../runtime/configuration/byte-size.ts';
import { ConfigurationError } from '../../../runtime/configuration/configuration-error.ts';
import { jsonProblem } from '../../../runtime/configuration/json-problem.ts';
import { schemaOptions } from '../../../runtime/configuration/schema-options.ts';
import { schemaProblems } from '../../../runtime/configuration/schema-problems.ts';
import type { ListenerTls } from '../syslog/listener-configuration.ts';
import { OTLP_LISTEN_FORMAT, type OtlpListenAddress, parseOtlpAddress, usesTls } from './listen-address.ts';

/** One listener, with all its options. */
export interface OtlpListenerConfiguration {
  readonly listen: OtlpListenAddress;
  /** The maximum size of a request, inflated. */
  readonly maxRequestBytes: number;
  readonly maxConnections: number;
  readonly resource: Resource;
  readonly tls?: ListenerTls;
}

const MIB = 1024 * 1024;
/** The journal accepts at most 16 MiB at a time. */
export const LARGEST_REQUEST_BYTES = 12 * MIB;

const listen = z.string().transform((text, context): OtlpListenAddress => {
  const address = parseOtlpAddress(text);
  if (address !== undefined) return address;
  const message = `expected ${OTLP_LISTEN_FORMAT.replaceAll('`', '')}, found ${JSON.stringify(text)}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const requestSize = z.string().transform((text, context) => {
  const bytes = parseByteSize(text);
  if (bytes !== undefined && bytes >= 64 * 1024 && bytes <= LARGEST_REQUEST_BYTES) return bytes;
  context.addIssue({ code: 'custom', message: `expected a size from 64KiB to 12MiB, found ${text}` });
  return z.NEVER;
});

const path = z.string().min(1);

const shape = {
  listen: listen.meta({
    format: OTLP_LISTEN_FORMAT,
    description: 'Where to listen. Without a host: the loopback address. Default ports: 4317 and 4318.',
  }),
  max_request: requestSize.prefault('8MiB').meta({
    format: 'byte size',
    description: 'Maximum size of a request, up to 12 MiB. For a compressed one: of what it inflates to.',
  }),
  max_connections: z.int().min(1).max(100_000).default(1000).meta({
    format: 'number',
    description: 'Maximum number of connections at the same time.',
  }),
  certificate_file: path.optional().meta({
    format: 'path',
    description: 'Certificate and its chain, as PEM. Required for TLS. Reloaded when it changes.',
  }),
  key_file: path.optional().meta({ format: 'path', description: 'Private key, as PEM. Required for TLS.' }),
  ca_file: path.optional().meta({
    format: 'path',
    description: 'Authorities of client certificates, as PEM. With it, clients must have a certificate.',
  }),
  resource: z
    .record(z.string().min(1), z.string())
    .transform((attributes): Resource => new Map(Object.entries(attributes)))
    .refine((resource) => resource.size <= LIMITS.resourceEntries - 16, 'expected at most 48 attributes')
    .default(EMPTY_RESOURCE)
    .meta({
      format: 'object of texts',
      default: '{}',
      description: 'Resource attributes that are added to every record.',
    }),
};

export const OTLP_LISTENER_KEYS = schemaOptions(shape);
export const OTLP_LISTENER_EXAMPLE =
  '[{"listen": "https://0.0.0.0:4318", "certificate_file": "/etc/ssl/log.pem", "key_file": "/etc/ssl/log.key"}]';

const rawEntry = z.strictObject(shape);
type RawEntry = z.output<typeof rawEntry>;

const entry = rawEntry.transform((raw, context): OtlpListenerConfiguration => {
  const problem = tlsProblem(raw);
  if (problem !== undefined) context.addIssue({ code: 'custom', ...problem });
  const tls = tlsOf(raw);
  return {
    listen: raw.listen,
    maxRequestBytes: raw.max_request,
    maxConnections: raw.max_connections,
    resource: raw.resource,
    ...(tls === undefined ? {} : { tls }),
  };
});

/** The listeners of COLLECTOR_OTLP: addresses with the default options. Throws a ConfigurationError. */
export function otlpListenersFromAddresses(
  text: string,
  variable: string,
): readonly OtlpListenerConfiguration[] {
  const addresses = text.split(/[\s,]+/).filter((each) => each !== '');
  return parsed(
    addresses.map((address) => ({ listen: address })),
    variable,
    'expected at least one address',
  );
}

/** Reads COLLECTOR_OTLP_CONFIGURATION, a JSON list. Throws a ConfigurationError with every problem. */
export function parseOtlpListeners(text: string, variable: string): readonly OtlpListenerConfiguration[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const message = jsonProblem('a list of listeners', text, OTLP_LISTENER_EXAMPLE);
    throw new ConfigurationError([{ variable, message }]);
  }
  return parsed(value, variable, 'expected at least one listener');
}

function parsed(value: unknown, variable: string, ifEmpty: string): readonly OtlpListenerConfiguration[] {
  const result = z.array(entry).min(1, ifEmpty).safeParse(value);
  if (result.success) return result.data;
  const keys = Object.keys(shape);
  throw new ConfigurationError(
    schemaProblems(variable, result.error, ({ length }) => (length === 1 ? keys : [])),
  );
}

function tlsOf({ certificate_file, key_file, ca_file }: RawEntry): ListenerTls | undefined {
  if (certificate_file === undefined || key_file === undefined) return undefined;
  return {
    certificateFile: certificate_file,
    keyFile: key_file,
    ...(ca_file === undefined ? {} : { caFile: ca_file }),
    clientCertificate: ca_file === undefined ? 'none' : 'required',
    permittedPeers: [],
  };
}

function tlsProblem({ listen: address, certificate_file, key_file, ca_file }: RawEntry) {
  const { transport } = address;
  if (!usesTls(address)) {
    const isIdle = (certificate_file ?? key_file ?? ca_file) !== undefined;
    const message = `${transport} does not use certificates; use ${transport}s`;
    return isIdle ? { path: ['listen'], message } : undefined;
  }
  if (certificate_file === undefined)
    return { path: ['certificate_file'], message: `is required for ${transport}` };
  return key_file === undefined ? { path: ['key_file'], message: `is required for ${transport}` } : undefined;
}
