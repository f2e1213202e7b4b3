import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { Client, type ClientConfig } from 'pg';
import type { PostgresConfiguration } from './configuration.ts';
import type { SslMode } from './parse-postgres-url.ts';

const KEEPALIVE_MS = 10_000;

/** Builds the connection settings. Reads the files of the configuration; throws if one cannot be read. */
export async function clientSettings(configuration: PostgresConfiguration): Promise<ClientConfig> {
  const { url, host, port, user, password, password_file, database, ssl } = configuration;
  const settings = {
    host: host ?? url?.host,
    port: port ?? url?.port,
    user: user ?? url?.user,
    password: password ?? (await contentOf(password_file))?.trimEnd() ?? url?.password,
    database: database ?? url?.database,
    application_name: 'mega-collector',
    connectionTimeoutMillis: configuration.connection_timeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
  };
  // The driver reads PGHOST and the like for missing values, so only the driver knows the host.
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const target = new Client({ ...given, ssl: false }).host;
  const mode = ssl ?? url?.ssl ?? (isHere(target) ? 'disable' : 'verify-full');
  return { ...given, ssl: await tlsOptions(mode, configuration) };
}

/** For messages; contains no secret. */
export function placeOf({ host, port, database, user }: Client): string {
  const address = isIP(host) === 6 ? `[${host}]` : host;
  return `postgresql://${address}:${port}/${database ?? user ?? ''}`;
}

/** Connections over a Unix socket or the loopback interface stay on this machine. */
function isHere(host: string): boolean {
  if (host.startsWith('/') || host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

async function tlsOptions(
  mode: SslMode,
  configuration: PostgresConfiguration,
): Promise<ConnectionOptions | false> {
  if (mode === 'disable') return false;
  const { ca, ca_file, certificate, certificate_file, key, key_file } = configuration;
  const all = {
    ca: ca ?? (await contentOf(ca_file)),
    cert: certificate ?? (await contentOf(certificate_file)),
    key: key ?? (await contentOf(key_file)),
  };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return { ...given, minVersion: 'TLSv1.2', rejectUnauthorized: mode === 'verify-full' };
}

async function contentOf(path: string | undefined): Promise<string | undefined> {
  return path === undefined ? undefined : await readFile(path, 'utf8');
}
