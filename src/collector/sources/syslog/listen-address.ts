import { resolve } from 'node:path';
import { type Address, isLoopback, parseAddress } from '../../../runtime/configuration/address.ts';

/**
 * Where a listener listens: `udp://:514`, `relp+tls://[::]:2514`, `unixgram:///run/app.sock`, or `udp://fd:syslog-udp`, a
 * socket with this name that systemd has opened.
 */
export type ListenAddress =
  | { readonly transport: NetworkTransport; readonly address: Address }
  | { readonly transport: NetworkTransport; readonly socketName: string }
  | { readonly transport: UnixTransport; readonly path: string };

export type NetworkTransport = 'udp' | 'tcp' | 'tls' | 'relp' | 'relp+tls';
export type UnixTransport = 'unix' | 'unixgram';

/** Returns undefined when the text is no address. An empty host is the loopback address. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^([a-z+]+):\/\/(.*)$/.exec(text);
  const [, scheme = '', rest = ''] = match ?? [];
  if (scheme === 'unix' || scheme === 'unixgram')
    return rest === '' ? undefined : { transport: scheme, path: resolve(rest) };
  const port = DEFAULT_PORTS[scheme as NetworkTransport];
  if (port === undefined) return undefined;
  const socketName = /^fd:([\x21-\x39\x3b-\x7e]{1,255})$/.exec(rest)?.[1];
  if (socketName !== undefined) return { transport: scheme as NetworkTransport, socketName };
  const address = parseAddress(rest.startsWith(':') ? `${LOOPBACK}${rest}` : rest || LOOPBACK, port);
  return address && { transport: scheme as NetworkTransport, address };
}

/** The name of a listener and of its stream. */
export function listenText(listen: ListenAddress): string {
  if ('path' in listen) return `${listen.transport}://${listen.path}`;
  if ('socketName' in listen) return `${listen.transport}://fd:${listen.socketName}`;
  const { host, port } = listen.address;
  return `${listen.transport}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function usesTls({ transport }: ListenAddress): boolean {
  return transport === 'tls' || transport === 'relp+tls';
}

export function isRelp({ transport }: ListenAddress): boolean {
  return transport === 'relp' || transport === 'relp+tls';
}

/** Other machines can send to it, without encryption. */
export function isExposed(listen: ListenAddress): boolean {
  return 'address' in listen && !usesTls(listen) && !isLoopback(listen.address);
}

export const LISTEN_FORMAT =
  '`udp`, `tcp`, `tls`, `relp` or `relp+tls`, `://host:port` or `://fd:NAME`; or `unix://path`, `unixgram://path`';

const LOOPBACK = '127.0.0.1';
/** Those of the RFCs; RELP has no registered port, and this is the usual one. */
const DEFAULT_PORTS: Readonly<Record<NetworkTransport, number>> = {
  udp: 514,
  tcp: 601,
  tls: 6514,
  relp: 2514,
  'relp+tls': 2514,
};
