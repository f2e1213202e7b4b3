import { parseAddress } from '../runtime/configuration/address.ts';

/** The address of a receiver, as in a configuration. */
export type TransportAddress =
  | { readonly kind: 'udp' | 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix' | 'unixgram' | 'file'; readonly path: string }
  | { readonly kind: 'stdout' };

export const TRANSPORT_ADDRESS_FORMAT =
  '`udp://host:port`, `tcp://host:port`, `tls://host:port`, `unix:/path`, `unixgram:/path`, `file:/path` or `stdout:`';

/** Maximum path size in the system's structure for Unix socket addresses. */
export const MAX_SOCKET_PATH_BYTES = 107;

/** Returns undefined for an invalid address. `defaultPort` applies if the port is missing. */
export function parseTransportAddress(text: string, defaultPort?: number): TransportAddress | undefined {
  const match = /^([a-z]+):(.*)$/s.exec(text);
  if (match === null) return undefined;
  const [, kind = '', rest = ''] = match;
  switch (kind) {
    case 'udp':
    case 'tcp':
    case 'tls':
      return networkAddress(kind, rest, defaultPort);
    case 'unix':
    case 'unixgram':
    case 'file': {
      const path = rest.startsWith('//') ? rest.slice(2) : rest;
      const tooLong = kind !== 'file' && Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES;
      return path === '' || path.includes('\0') || tooLong ? undefined : { kind, path };
    }
    case 'stdout':
      return rest === '' ? { kind } : undefined;
    default:
      return undefined;
  }
}

function networkAddress(
  kind: 'udp' | 'tcp' | 'tls',
  rest: string,
  defaultPort: number | undefined,
): TransportAddress | undefined {
  const target = rest.startsWith('//') ? rest.slice(2).replace(/\/$/, '') : rest;
  // A port alone means all interfaces for a listener; a sender requires a host.
  const address = target.startsWith(':') ? undefined : parseAddress(target, defaultPort);
  return address === undefined || address.port === 0 ? undefined : { kind, ...address };
}

/** Whether the address receives packets instead of a stream. */
export function isPacketAddress(address: TransportAddress): boolean {
  return address.kind === 'udp' || address.kind === 'unixgram';
}
