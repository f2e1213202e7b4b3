import { z } from 'zod';
import { schemaOptions } from '../../runtime/configuration/schema-options.ts';
import { jsonValue } from '../../runtime/configuration/value-parsers.ts';
import { POD_COLUMNS } from './pod-table.ts';

/** Where the API of Kubernetes is, and what the table of pods has. */
export interface KubernetesConfiguration {
  /** Without a path: `https://kubernetes.default.svc`. */
  readonly server: string;
  /** Read before each request, because Kubernetes replaces it. */
  readonly tokenFile: string;
  readonly caFile: string;
  /** undefined: all namespaces. */
  readonly namespace: string | undefined;
  /** Labels that have a column of their own. */
  readonly labels: readonly string[];
}

/** Where Kubernetes mounts the account of a pod. */
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

const shape = {
  labels: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'expected the name of a label, such as app'))
    .max(100)
    .refine((names) => new Set(names).size === names.length, 'expected each label once')
    .refine(
      (names) => names.every((name) => !POD_COLUMNS.includes(name)),
      `expected other names than those of the columns ${POD_COLUMNS.join(', ')}`,
    )
    .default([])
    .meta({ format: 'list of texts', description: 'Labels that are columns of the table.' }),
  namespace: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, 'expected the name of a namespace')
    .optional()
    .meta({ format: 'text', description: 'Only the pods of this namespace. Default: all.' }),
  server: z
    .string()
    .refine(isServer, 'expected https://host or https://host:port; http:// only on the same machine')
    .default('https://kubernetes.default.svc')
    .meta({ format: '`https://host:port`', description: 'The API server.' }),
  token_file: z
    .string()
    .min(1)
    .default(`${ACCOUNT}/token`)
    .meta({ format: 'path', description: 'Token of a service account that may list and watch pods.' }),
  ca_file: z
    .string()
    .min(1)
    .default(`${ACCOUNT}/ca.crt`)
    .meta({ format: 'path', description: 'Certificate authority of the API server, PEM.' }),
};

export const KUBERNETES_KEYS = schemaOptions(shape);

export const KUBERNETES_EXAMPLE = '{"labels": ["app", "app.kubernetes.io/version"]}';

const schema = z.strictObject(shape).transform(
  ({ server, token_file, ca_file, namespace, labels }): KubernetesConfiguration => ({
    server: new URL(server).origin,
    tokenFile: token_file,
    caFile: ca_file,
    namespace,
    labels,
  }),
);

/** Throws InvalidValue. */
export const kubernetesConfiguration = jsonValue<KubernetesConfiguration>(schema, {
  expected: 'an object',
  example: KUBERNETES_EXAMPLE,
});

/** A token never crosses a network in plain text. */
function isServer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, username } = new URL(text);
  if (pathname !== '/' || search !== '' || username !== '') return false;
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback);
}
