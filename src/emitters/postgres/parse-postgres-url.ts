/**
 * Parses `postgresql://user:password@host:port/database?sslmode=require` like libpq: every part is optional,
 * and `host`, `port`, `user`, `password` and `dbname` can also be parameters
 * (`postgresql:///logs?host=/run/postgresql`). A fault never quotes the URL, which can contain a password.
 */
export function parsePostgresUrl(text: string): PostgresAddress | { readonly fault: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return { fault: EXPECTED };
  }
  if (url.protocol !== 'postgresql:' && url.protocol !== 'postgres:') return { fault: EXPECTED };
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.has(name));
  if (unknown !== undefined) {
    return { fault: `expected only the parameters ${[...PARAMETERS].join(', ')} in the url` };
  }
  try {
    return addressOf(url);
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message };
    return { fault: 'expected a url whose parts are percent-encoded' };
  }
}

/** The parts of a connection URL; missing ones may be set elsewhere. */
export interface PostgresAddress {
  /** A name, an IP address, or the directory of a Unix socket. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly ssl?: SslMode;
}

export type SslMode = 'disable' | 'require' | 'verify-full';

const SSL_MODES: ReadonlyMap<string, SslMode> = new Map([
  ['disable', 'disable'],
  ['require', 'require'],
  ['verify-full', 'verify-full'],
]);

const EXPECTED = 'expected postgresql://user:password@host:port/database';
const PARAMETERS: ReadonlySet<string> = new Set(['host', 'port', 'user', 'password', 'dbname', 'sslmode']);

class Fault extends Error {}

function addressOf(url: URL): PostgresAddress {
  const parameter = (name: string) => url.searchParams.get(name) ?? '';
  const decoded = (part: string) => decodeURIComponent(part);
  const host = parameter('host') || decoded(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  const port = parameter('port') || url.port;
  const user = parameter('user') || decoded(url.username);
  const password = parameter('password') || decoded(url.password);
  const database = parameter('dbname') || decoded(url.pathname.slice(1));
  const mode = parameter('sslmode');
  const ssl = SSL_MODES.get(mode);
  if (mode !== '' && ssl === undefined) {
    throw new Fault(`expected sslmode to be one of ${[...SSL_MODES.keys()].join(', ')}`);
  }
  const number = Number(port);
  if (port !== '' && !(Number.isInteger(number) && number >= 1 && number <= 65_535)) {
    throw new Fault('expected a port from 1 to 65535');
  }
  return {
    ...(host !== '' && { host }),
    ...(port !== '' && { port: number }),
    ...(user !== '' && { user }),
    ...(password !== '' && { password }),
    ...(database !== '' && { database }),
    ...(ssl !== undefined && { ssl }),
  };
}
