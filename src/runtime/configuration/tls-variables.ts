import { pemText, type TlsFault, type TlsMaterial, tlsFaults } from '../tls.ts';
import type { ConfigurationWarning, Values, VariableTable } from './configuration.ts';
import type { ConfigurationProblem } from './configuration-error.ts';
import { BOOLEAN_FORMAT, booleanValue } from './value-parsers.ts';

/** The four TLS variables of a role. */
export function tlsVariables(prefix: TlsPrefix) {
  const other = prefix === 'AGGREGATOR' ? 'collectors' : 'aggregator';
  return {
    tls: {
      name: `${prefix}_TLS`,
      flag: '--tls',
      description: `Use mutual TLS with the ${other}. Requires the three variables below.`,
      format: BOOLEAN_FORMAT,
      default: '0',
      example: '1',
      boolean: true,
      parse: booleanValue,
    },
    tlsCertificate: {
      name: `${prefix}_TLS_CERTIFICATE`,
      flag: '--tls-certificate',
      description: 'Own certificate, followed by its chain.',
      format: 'PEM text',
      example: '-----BEGIN CERTIFICATE-----...',
      file: true,
      reloads: true,
      parse: pemText,
    },
    tlsKey: {
      name: `${prefix}_TLS_KEY`,
      flag: '--tls-key',
      description: 'Private key of the certificate. Use a file: other users can see flags.',
      format: 'PEM text',
      example: '-----BEGIN PRIVATE KEY-----...',
      secret: true,
      reloads: true,
      parse: pemText,
    },
    tlsCaCertificate: {
      name: `${prefix}_TLS_CA_CERTIFICATE`,
      flag: '--tls-ca-certificate',
      description: `Certificate authorities for the certificate of the ${other}.`,
      format: 'PEM text, one or more certificates',
      example: '-----BEGIN CERTIFICATE-----...',
      file: true,
      reloads: true,
      parse: pemText,
    },
  } as const satisfies VariableTable;
}

type TlsPrefix = 'AGGREGATOR' | 'COLLECTOR';

type TlsValues = Values<ReturnType<typeof tlsVariables>>;

/** Returns the TLS material; undefined with TLS off, or with problems, which are added. */
export function tlsMaterialOf(
  prefix: TlsPrefix,
  values: TlsValues,
  problems: ConfigurationProblem[],
): TlsMaterial | undefined {
  if (!values.tls) return undefined;
  const variableOf = {
    certificate: `${prefix}_TLS_CERTIFICATE`,
    key: `${prefix}_TLS_KEY`,
    caCertificate: `${prefix}_TLS_CA_CERTIFICATE`,
  } as const;
  const material = {
    certificate: values.tlsCertificate ?? '',
    key: values.tlsKey ?? '',
    caCertificate: values.tlsCaCertificate ?? '',
  };
  const missing = Object.entries(MISSING).filter(([part]) => material[part as keyof TlsMaterial] === '');
  const faults: readonly TlsFault[] =
    missing.length > 0
      ? missing.map(([part, message]) => ({ part: part as keyof TlsMaterial, message }))
      : tlsFaults(material);
  problems.push(...faults.map(({ part, message }) => ({ variable: variableOf[part], message })));
  return faults.length === 0 ? material : undefined;
}

const MISSING: Readonly<Record<keyof TlsMaterial, string>> = {
  certificate: 'TLS is on, but the certificate is not set',
  key: 'TLS is on, but the private key is not set',
  caCertificate: 'TLS is on, but the authority certificate is not set',
};

/** The PEM variables that have no effect because TLS is off. */
export function tlsWarnings(prefix: TlsPrefix, values: TlsValues): readonly ConfigurationWarning[] {
  if (values.tls) return [];
  const pems = [
    [values.tlsCertificate, `${prefix}_TLS_CERTIFICATE`],
    [values.tlsKey, `${prefix}_TLS_KEY`],
    [values.tlsCaCertificate, `${prefix}_TLS_CA_CERTIFICATE`],
  ] as const;
  return pems
    .filter(([text]) => text)
    .map(([, variable]) => ({ variable, message: `has no effect, because ${prefix}_TLS is off` }));
}
