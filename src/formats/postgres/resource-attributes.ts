/**
 * What a collector says in the resource of records that came over a logfebe socket, beside `host.name` and its like.
 * `service.name` (unless the operator gave one) is the name or else the identity of the server's serve record.
 */

/** `postgresql`: OpenTelemetry's name and value. */
export const DB_SYSTEM = 'db.system.name';
/** `15.20 (Debian 15.20-0+deb12u1)`: the version that the server gave. */
export const POSTGRES_VERSION = 'postgresql.version';
/** The logging identity of the server (`logfebe.identity`); not a secret. May be empty. */
export const POSTGRES_IDENTITY = 'postgresql.identity';
/** The socket by which the records came. Two servers may share an identity, never a socket. */
export const POSTGRES_SOCKET = 'postgresql.socket';

/** 9 for 9.2 to 9.6; undefined when the text says no version. */
export function postgresMajor(version: string | undefined): number | undefined {
  const [digits] = /^\d{1,3}/.exec(version ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}
