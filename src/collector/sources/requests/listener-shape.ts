import { z } from 'zod';
import { LIMITS } from '../../../records/limits.ts';
import { EMPTY_RESOURCE, type Resource } from '../../../records/resource.ts';
import { parseByteSize } from '../../../runtime/configuration/byte-size.ts';
import { ConfigurationError } from '../../../runtime/configuration/configuration-error.ts';
import { jsonProblem } from '../../../runtime/configuration/json-problem.ts';
import { schemaProblems } from '../../../runtime/configuration/schema-problems.ts';
import type { ListenerTls } from '../syslog/listener-configuration.ts';

const MIB = 1024 * 1024;
/** The journal accepts at most 16 MiB at a time. */
export const LARGEST_REQUEST_BYTES = 12 * MIB;

const requestSize = z.string().transform((text, context) => {
  const bytes = parseByteSize(text);
  if (bytes !== undefined && bytes >= 64 * 1024 && bytes <= LARGEST_REQUEST_BYTES) return bytes;
  context.addIssue({ code: 'custom', message: `expected a size from 64KiB to 12MiB, found ${text}` });
  return z.NEVER;
});

const path = z.string().min(1);

/** The keys of every listener that receives requests, besides its address. */
export const requestListenerShape = {
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

/** What all listeners that receive requests have, besides their address. */
export interface RequestListenerConfiguration {
  /** The maximum size of a request, inflated. */
  readonly maxRequestBytes: number;
  readonly maxConnections: number;
  readonly resource: Resource;
  readonly tls?: ListenerTls;
}

type RawListener = z.output<z.ZodObject<typeof requestListenerShape>>;

export function requestListener(raw: RawListener): RequestListenerConfiguration {
  const tls = tlsOf(raw);
  return {
    maxRequestBytes: raw.max_request,
    maxConnections: raw.max_connections,
    resource: raw.resource,
    ...(tls === undefined ? {} : { tls }),
  };
}

function tlsOf({ certificate_file, key_file, ca_file }: RawListener): ListenerTls | undefined {
  if (certificate_file === undefined || key_file === undefined) return undefined;
  return {
    certificateFile: certificate_file,
    keyFile: key_file,
    ...(ca_file === undefined ? {} : { caFile: ca_file }),
    clientCertificate: ca_file === undefined ? 'none' : 'required',
    permittedPeers: [],
  };
}

/** Certificates without TLS, or TLS without certificates. `transport`: `http` or `https`, for example. */
export function certificateProblem(
  { certificate_file, key_file, ca_file }: RawListener,
  transport: string,
  usesTls: boolean,
): { readonly path: string[]; readonly message: string } | undefined {
  if (!usesTls) {
    const isIdle = (certificate_file ?? key_file ?? ca_file) !== undefined;
    const message = `${transport} does not use certificates; use ${transport}s`;
    return isIdle ? { path: ['listen'], message } : undefined;
  }
  if (certificate_file === undefined)
    return { path: ['certificate_file'], message: `is required for ${transport}` };
  return key_file === undefined ? { path: ['key_file'], message: `is required for ${transport}` } : undefined;
}

export interface ListenerSchema<Listener> {
  readonly entry: z.ZodType<Listener>;
  readonly keys: readonly string[];
  readonly example: string;
}

/** Reads a list of addresses with the default options. Throws a ConfigurationError. */
export function listenersFromAddresses<Listener>(
  text: string,
  variable: string,
  schema: ListenerSchema<Listener>,
): readonly Listener[] {
  const addresses = text.split(/[\s,]+/).filter((each) => each !== '');
  const value = addresses.map((address) => ({ listen: address }));
  return listenersOf(value, { variable, ifEmpty: 'expected at least one address' }, schema);
}

/** Reads a JSON list of listeners. Throws a ConfigurationError with every problem. */
export function parseListeners<Listener>(
  text: string,
  variable: string,
  schema: ListenerSchema<Listener>,
): readonly Listener[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const message = jsonProblem('a list of listeners', text, schema.example);
    throw new ConfigurationError([{ variable, message }]);
  }
  return listenersOf(value, { variable, ifEmpty: 'expected at least one listener' }, schema);
}

function listenersOf<Listener>(
  value: unknown,
  { variable, ifEmpty }: { readonly variable: string; readonly ifEmpty: string },
  { entry, keys }: ListenerSchema<Listener>,
): readonly Listener[] {
  const result = z.array(entry).min(1, ifEmpty).safeParse(value);
  if (result.success) return result.data;
  throw new ConfigurationError(
    schemaProblems(variable, result.error, ({ length }) => (length === 1 ? [...keys] : [])),
  );
}
