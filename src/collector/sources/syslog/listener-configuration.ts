import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { compilePredicate } from '../../../expressions/compile-expression.ts';
import { parseExpression } from '../../../expressions/parse-expression.ts';
import { TIME_ZONE } from '../../../formats/marker-attributes.ts';
import { formatNamed } from '../../../formats/registry.ts';
import type { SyslogFraming } from '../../../protocols/syslog-framing/frame-splitter.ts';
import { LIMITS } from '../../../records/limits.ts';
import { EMPTY_RESOURCE, type Resource } from '../../../records/resource.ts';
import { parseByteSize } from '../../../runtime/configuration/byte-size.ts';
import { ConfigurationError } from '../../../runtime/configuration/configuration-error.ts';
import { jsonProblem } from '../../../runtime/configuration/json-problem.ts';
import { schemaProblems } from '../../../runtime/configuration/schema-problems.ts';
import { PACK_KEYS, type PackRule, packSchema } from '../../packing/pack-rules.ts';
import { isRelp, LISTEN_FORMAT, type ListenAddress, parseListenAddress, usesTls } from './listen-address.ts';
import { IDENTITY_FORMAT, type MessageIdentity, parseIdentity } from './message-identity.ts';

/** One listener, with all its options. */
export interface ListenerConfiguration {
  readonly listen: ListenAddress;
  readonly framing: SyslogFraming;
  readonly format: string;
  /** The kept part of a message. */
  readonly messageBytes: number;
  readonly maxConnections: number;
  /** Absent: every address may send. */
  readonly allow?: BlockList;
  readonly resource: Resource;
  /** Zones of the senders in a network, for times without a zone. */
  readonly zones: readonly NetworkZone[];
  readonly tls?: ListenerTls;
  readonly onResend: 'mark' | 'keep';
  /** RELP: repetitions of messages with an identity are dropped. */
  readonly identity?: MessageIdentity;
  readonly socketMode: number;
  readonly receiveBufferBytes: number;
  /** How records are merged before they are stored. */
  readonly pack?: readonly PackRule[];
}

export interface NetworkZone {
  readonly network: BlockList;
  readonly zone: string;
}

export interface ListenerTls {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile?: string;
  readonly clientCertificate: 'none' | 'optional' | 'required';
  /** Names with wildcards, and `SHA256:` fingerprints. Empty: every verified certificate. */
  readonly permittedPeers: readonly string[];
}

/** The listeners of COLLECTOR_SYSLOG: addresses with the default options. Throws a ConfigurationError. */
export function listenersFromAddresses(text: string, variable: string): readonly ListenerConfiguration[] {
  const entries = text.split(/[\s,]+/).filter((each) => each !== '');
  return parseEntries(
    entries.map((listen) => ({ listen })),
    variable,
    'expected at least one address',
  );
}

/** Reads COLLECTOR_SYSLOG_CONFIGURATION, a JSON list. Throws a ConfigurationError with every problem. */
export function parseListenerConfigurations(
  text: string,
  variable: string,
): readonly ListenerConfiguration[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const message = jsonProblem('a list of listeners', text, EXAMPLE);
    throw new ConfigurationError([{ variable, message }]);
  }
  return parseEntries(value, variable, 'expected at least one listener');
}

function parseEntries(value: unknown, variable: string, ifEmpty: string): readonly ListenerConfiguration[] {
  const parsed = z.array(entrySchema).min(1, ifEmpty).safeParse(value);
  if (!parsed.success) throw new ConfigurationError(schemaProblems(variable, parsed.error, knownKeys));
  return parsed.data;
}

const EXAMPLE =
  '[{"listen": "tls://:6514", "certificate_file": "/etc/ssl/log.pem", "key_file": "/etc/ssl/log.key"}]';
const KIB = 1024;

function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  if (path.length === 1) return Object.keys(entryShape).filter((key) => key !== 'reuse');
  return path[1] === 'pack' ? PACK_KEYS : [];
}

const sizeBetween = (min: number, max: number) =>
  z.string().transform((text, context) => {
    const bytes = parseByteSize(text);
    if (bytes !== undefined && bytes >= min && bytes <= max) return bytes;
    context.addIssue({
      code: 'custom',
      message: `expected a size from ${min} to ${max} bytes, found ${text}`,
    });
    return z.NEVER;
  });

const listenSchema = z.string().transform((text, context): ListenAddress => {
  const listen = parseListenAddress(text);
  if (listen !== undefined) return listen;
  const message = `expected ${LISTEN_FORMAT.replaceAll('`', '')}, found ${JSON.stringify(text)}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const zoneSchema = z.string().refine(isZone, 'expected a time zone such as UTC or Europe/Zurich');

const networkSchema = z.string().refine((text) => addNetwork(new BlockList(), text), {
  message: 'expected an address or a network such as 10.0.0.0/8',
});

/** The attributes of the sender have a value in a condition, a stream and a position have none. */
const compileCondition = (text: string) => compilePredicate(parseExpression(text));

const identitySchema = z.string().transform((text, context): MessageIdentity => {
  const identity = parseIdentity(text);
  if (identity !== undefined) return identity;
  const message = `expected ${IDENTITY_FORMAT.replaceAll('`', '')}, found ${JSON.stringify(text)}`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const entryShape = {
  listen: listenSchema,
  framing: z.enum(['auto', 'octet', 'lf', 'nul']).default('auto'),
  format: z
    .string()
    .refine((name) => formatNamed(name).name === name, 'expected the name of a format')
    .default('syslog'),
  timezone: zoneSchema.optional(),
  timezones: z.record(networkSchema, zoneSchema).default({}),
  max_message: sizeBetween(480, LIMITS.recordBytes - 1).default(256 * KIB),
  max_connections: z.int().min(1).max(100_000).default(1000),
  allow: z.array(networkSchema).min(1).optional(),
  certificate_file: z.string().min(1).optional(),
  key_file: z.string().min(1).optional(),
  ca_file: z.string().min(1).optional(),
  client_certificate: z.enum(['none', 'optional', 'required']).optional(),
  permitted_peers: z.array(z.string().min(1)).default([]),
  resource: z
    .record(z.string().min(1), z.string())
    .transform((attributes): Resource => new Map(Object.entries(attributes)))
    .refine((resource) => resource.size <= LIMITS.resourceEntries - 16, 'expected at most 48 attributes')
    .default(EMPTY_RESOURCE),
  on_resend: z.enum(['mark', 'keep']).default('mark'),
  identity: identitySchema.optional(),
  socket_mode: z
    .string()
    .regex(/^0?[0-7]{3}$/, 'expected three octal digits such as 0660')
    .transform((text) => Number.parseInt(text, 8))
    .default(0o666),
  pack: packSchema(compileCondition).optional(),
  // Node.js has the option for UDP sockets from 22.12 and 23.1 on, and 20.19 is supported.
  reuse: z
    .undefined({
      error:
        'is not supported: not every supported version of Node.js can share a UDP port between sockets. Use a larger receive_buffer, a socket unit of systemd with ReceiveBuffer=, or a listener for each group of senders, each with its own port',
    })
    .optional(),
  receive_buffer: sizeBetween(64 * KIB, 1024 * KIB * KIB).default(8 * KIB * KIB),
};

const rawEntrySchema = z.strictObject(entryShape);

const entrySchema = rawEntrySchema.transform((entry, context): ListenerConfiguration => {
  const problem = tlsProblem(entry) ?? identityProblem(entry);
  if (problem !== undefined) context.addIssue({ code: 'custom', ...problem });
  const tls = tlsOf(entry);
  return {
    listen: entry.listen,
    framing: entry.framing,
    format: entry.format,
    messageBytes: entry.max_message,
    maxConnections: entry.max_connections,
    ...(entry.allow === undefined ? {} : { allow: networksOf(entry.allow) }),
    resource:
      entry.timezone === undefined
        ? entry.resource
        : new Map([...entry.resource, [TIME_ZONE, entry.timezone]]),
    zones: Object.entries(entry.timezones).map(([network, zone]) => ({
      network: networksOf([network]),
      zone,
    })),
    ...(tls === undefined ? {} : { tls }),
    onResend: entry.on_resend,
    ...(entry.identity === undefined ? {} : { identity: entry.identity }),
    socketMode: entry.socket_mode,
    receiveBufferBytes: entry.receive_buffer,
    ...(entry.pack === undefined ? {} : { pack: entry.pack }),
  };
});

type RawEntry = z.output<typeof rawEntrySchema>;

function tlsOf(entry: RawEntry): ListenerTls | undefined {
  const { certificate_file: certificateFile, key_file: keyFile, ca_file: caFile } = entry;
  if (certificateFile === undefined || keyFile === undefined) return undefined;
  return {
    certificateFile,
    keyFile,
    ...(caFile === undefined ? {} : { caFile }),
    clientCertificate: clientCertificateOf(entry),
    permittedPeers: entry.permitted_peers,
  };
}

/** Names are permitted only of clients that have a certificate. */
function clientCertificateOf({
  client_certificate,
  permitted_peers,
  ca_file,
}: RawEntry): ListenerTls['clientCertificate'] {
  return client_certificate ?? (permitted_peers.length > 0 || ca_file !== undefined ? 'required' : 'none');
}

interface EntryProblem {
  readonly path: string[];
  readonly message: string;
}

function tlsProblem(entry: RawEntry): EntryProblem | undefined {
  const { listen, certificate_file, key_file, ca_file, permitted_peers } = entry;
  const isTls = usesTls(listen);
  if (isTls && certificate_file === undefined)
    return { path: ['certificate_file'], message: `is required for ${listen.transport}` };
  if (isTls && key_file === undefined)
    return { path: ['key_file'], message: `is required for ${listen.transport}` };
  if (!isTls && (certificate_file ?? key_file ?? ca_file ?? entry.client_certificate) !== undefined)
    return {
      path: ['listen'],
      message: `${listen.transport} does not use certificates; use tls or relp+tls`,
    };
  const needsCa = isTls && clientCertificateOf(entry) !== 'none' && ca_file === undefined;
  if (needsCa && !permitted_peers.every(isFingerprint))
    return { path: ['ca_file'], message: 'is required to verify client certificates' };
  if (needsCa && permitted_peers.length === 0)
    return { path: ['ca_file'], message: 'is required to verify client certificates' };
  return undefined;
}

function identityProblem({ listen, identity, pack }: RawEntry): EntryProblem | undefined {
  if (identity === undefined) return undefined;
  if (!isRelp(listen))
    return { path: ['identity'], message: `needs relp or relp+tls, found ${listen.transport}` };
  if (pack !== undefined)
    return { path: ['identity'], message: 'cannot be used with pack: a merged record has no identity' };
  return undefined;
}

export function isFingerprint(permitted: string): boolean {
  return /^sha256:/i.test(permitted);
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format();
    return true;
  } catch {
    return false;
  }
}

function networksOf(texts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of texts) addNetwork(list, text);
  return list;
}

/** Returns whether the text is a network or an address. */
function addNetwork(list: BlockList, text: string): boolean {
  const [address = '', prefix, ...others] = text.split('/');
  const version = isIP(address);
  if (version === 0 || others.length > 0) return false;
  const bits = prefix === undefined ? NaN : Number(/^[0-9]{1,3}$/.test(prefix) ? prefix : NaN);
  if (prefix !== undefined && !(bits <= (version === 6 ? 128 : 32))) return false;
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (prefix === undefined) list.addAddress(address, family);
  else list.addSubnet(address, bits, family);
  return true;
}
