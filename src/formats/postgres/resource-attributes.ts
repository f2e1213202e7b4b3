/**
 * The resource attributes of records from a logfebe socket, in addition to `host.name` and similar ones.
 * `service.name` (unless configured) is the name or else the identity of the server's serve record.
 */

/** `postgresql`: OpenTelemetry's name and value. */
export const DB_SYSTEM = 'db.system.name';
/** `15.20 (Debian 15.20-0+deb12u1)`: the version that the server reported. */
export const POSTGRES_VERSION = 'postgresql.version';
/** The logging identity of the server (`logfebe.identity`); not a secret. May be empty. */
export const POSTGRES_IDENTITY = 'postgresql.identity';
/** The socket of the records. Two servers may share an identity, but never a socket. */
export const POSTGRES_SOCKET = 'postgresql.socket';

/** 9 for 9.2 to 9.6; undefined for a text without a version. */
export function postgresMajor(version: string | undefined): number | undefined {
  const [digits] = /^\d{1,3}/.exec(version ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}
