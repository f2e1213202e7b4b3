import { DatabaseError } from 'pg';

/** A sentence on how the operator can fix a failing connection, or undefined. It contains no secret. */
export function connectionRemedy(error: unknown): string | undefined {
  if (error instanceof DatabaseError) return pgHbaRemedy(error) ?? BY_SQLSTATE.get(error.code ?? '');
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return BY_CODE.get(code ?? '') ?? BY_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1];
}

function pgHbaRemedy({ message }: DatabaseError): string | undefined {
  return /pg_hba\.conf/.test(message) ? PG_HBA : undefined;
}

const PG_HBA = 'Add an entry for this role, database and host to pg_hba.conf, and check "ssl"';
const ADDRESS = 'Check "host" and "port", and that the server runs and listens there';
const PASSWORD = 'Check "user", and "password" or "password_file"';
const NAME = 'Check "host": its name is not known to DNS, or DNS does not answer';
const NETWORK = 'Check "host" and "port", and that no firewall is between';
const CA = 'Name the authority of the server\'s certificate in "ca_file"';

const BY_SQLSTATE: ReadonlyMap<string, string> = new Map([
  ['28000', 'Create the role, or correct "user"'],
  ['28P01', PASSWORD],
  ['3D000', 'Create the database, or correct "database"'],
  ['53300', 'Raise max_connections of the server, or put a pooler in front of it'],
  ['57P03', 'The server starts, stops or recovers; the connection is tried again'],
]);

const BY_CODE: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', ADDRESS],
  ['ENOENT', ADDRESS],
  ['ENOTFOUND', NAME],
  ['EAI_AGAIN', NAME],
  ['ETIMEDOUT', NETWORK],
  ['EHOSTUNREACH', NETWORK],
  ['ENETUNREACH', NETWORK],
  ['EACCES', 'The socket of the server must be accessible to the user of this process'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Set "host" to a name that is in the certificate of the server'],
  ['CERT_HAS_EXPIRED', 'Renew the certificate of the server'],
  ['SELF_SIGNED_CERT_IN_CHAIN', CA],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', CA],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', CA],
  ['UNABLE_TO_GET_ISSUER_CERT', CA],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', CA],
]);

/** Errors of the driver without a code. */
const BY_MESSAGE: readonly (readonly [RegExp, string])[] = [
  [/does not support SSL/, 'Enable ssl in the server, or set "ssl" to "disable"'],
  [/SASL|password must be a string/, PASSWORD],
  [/timeout/i, NETWORK],
];
