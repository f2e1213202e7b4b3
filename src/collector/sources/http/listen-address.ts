import { type Address, isLoopback, parseAddress } from '../../../runtime/configuration/address.ts';

/** Where a listener listens: `http://127.0.0.1:8088`, `https://[::]:8088`. */
export interface HttpListenAddress {
  readonly transport: 'http' | 'https';
  readonly address: Address;
}

/** Returns undefined when the text is no address. An empty host is the loopback address. */
export function parseHttpAddress(text: string): HttpListenAddress | undefined {
  const [, transport, rest = ''] = /^(https?):\/\/(.*?)\/?$/.exec(text) ?? [];
  if (transport !== 'http' && transport !== 'https') return undefined;
  const address = parseAddress(rest.startsWith(':') ? `${LOOPBACK}${rest}` : rest || LOOPBACK, DEFAULT_PORT);
  return address && { transport, address };
}

/** The name of a listener and of its stream. */
export function httpAddressText({ transport, address: { host, port } }: HttpListenAddress): string {
  return `${transport}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Other machines can send to it. */
export function isExposed({ address }: HttpListenAddress): boolean {
  return !isLoopback(address);
}

export const HTTP_LISTEN_FORMAT = '`http` or `https`, `://host:port`';

const LOOPBACK = '127.0.0.1';
/** That of Splunk's HTTP Event Collector. */
const DEFAULT_PORT = 8088;
