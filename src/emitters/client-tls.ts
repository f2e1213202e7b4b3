import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { ConfigurationProblem } from '../runtime/configuration/configuration-error.ts';
import { fileOf } from '../runtime/configuration/schema-options.ts';
import type { TlsClientOptions } from '../transport/socket-transport.ts';
import { pemOption as pem } from './option-schemas.ts';

const path = z.string().min(1, 'expected the path of a file');

/** The keys of an emitter that connects with TLS. */
export const clientTlsShape = {
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
  server_name: z.string().min(1).optional().meta({
    format: 'name',
    description: "TLS only: the expected name in the receiver's certificate, instead of the host.",
  }),
};

export type ClientTlsConfiguration = z.output<z.ZodObject<typeof clientTlsShape>>;

type Key = keyof ClientTlsConfiguration;

const PAIRS: readonly (readonly [Key, Key])[] = [
  ['ca', 'ca_file'],
  ['certificate', 'certificate_file'],
  ['key', 'key_file'],
];

/** Options without effect for an address without TLS, contradictory options and incomplete pairs. */
export function clientTlsProblems(
  configuration: ClientTlsConfiguration,
  { place, hasTls, kind = 'tls' }: ClientTlsPlace,
): readonly ConfigurationProblem[] {
  const given = (key: Key) => configuration[key] !== undefined;
  const problem = (key: string, message: string) => ({ variable: `${place}.${key}`, message });
  const has = (key: 'certificate' | 'key') => given(key) || given(`${key}_file`);
  const keys = Object.keys(clientTlsShape) as Key[];
  return [
    ...(hasTls ? [] : keys.filter(given)).map((key) =>
      problem(key, `has no effect: it applies to ${kind} addresses only`),
    ),
    ...PAIRS.filter(([text, file]) => given(text) && given(file)).map(([text, file]) =>
      problem(file, `cannot be combined with "${text}"; remove one of them`),
    ),
    ...(has('certificate') === has('key')
      ? []
      : [problem('certificate', 'certificate and key must be set together')]),
  ];
}

export interface ClientTlsPlace {
  /** The variable, and the index in its list. */
  readonly place: string;
  readonly hasTls: boolean;
  /** The scheme of addresses with TLS. Default `tls`. */
  readonly kind?: string;
}

/** Reads the files of the configuration. */
export async function readClientTls(configuration: ClientTlsConfiguration): Promise<TlsClientOptions> {
  const { ca, ca_file, certificate, certificate_file, key, key_file, server_name } = configuration;
  const from = (path: string | undefined) => (path === undefined ? undefined : readFile(path, 'utf8'));
  return {
    ca: ca ?? (await from(ca_file)),
    certificate: certificate ?? (await from(certificate_file)),
    key: key ?? (await from(key_file)),
    serverName: server_name,
  };
}
