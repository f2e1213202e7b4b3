import { SocketTransport, type TlsClientOptions } from './socket-transport.ts';
import type { StreamTransport } from './transport.ts';
import { parseTransportAddress } from './transport-address.ts';

/** The address of a RELP server. */
export interface RelpAddress {
  readonly host: string;
  readonly port: number;
  readonly hasTls: boolean;
}

export const RELP_ADDRESS_FORMAT = '`relp://host:port`, `relp+tls://host:port`';

/** RELP has no registered port; rsyslog's examples use this one. */
export const DEFAULT_RELP_PORT = 2514;

/** `relp://host:port`, or with TLS `relp+tls://host:port` or `relp+tls://host:port`; undefined for anything else. */
export function parseRelpAddress(text: string): RelpAddress | undefined {
  const [, scheme = '', rest] = /^(relp|relps|relp\+tls):(.*)$/s.exec(text) ?? [];
  if (rest === undefined) return undefined;
  const parsed = parseTransportAddress(`tcp:${rest}`, DEFAULT_RELP_PORT);
  if (parsed?.kind !== 'tcp') return undefined;
  return { host: parsed.host, port: parsed.port, hasTls: scheme !== 'relp' };
}

export interface RelpTransportOptions {
  readonly tls?: TlsClientOptions | undefined;
  readonly connectTimeoutMs: number;
  /** A server that does not answer may also not read. */
  readonly writeTimeoutMs: number;
}

export function relpTransport(
  { host, port, hasTls }: RelpAddress,
  { tls = {}, ...options }: RelpTransportOptions,
): StreamTransport {
  const socket = hasTls
    ? SocketTransport.tls(host, port, tls, options)
    : SocketTransport.tcp(host, port, options);
  const address = socket.address.replace(/^[a-z]+:/, hasTls ? 'relp+tls:' : 'relp:');
  return { address, open: (open) => socket.open(open) };
}
