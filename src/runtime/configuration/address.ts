import { BlockList, isIP } from 'node:net';

/** An address to listen at, or to connect to. */
export interface Address {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  /** 0 while listening: any free port. */
  readonly port: number;
}

/** A Unix socket, for processes on the same machine. */
export interface SocketAddress {
  readonly socketPath: string;
}

/** Any address of a gRPC connection. */
export type Endpoint = Address | SocketAddress;

const ALL_INTERFACES = '0.0.0.0';
const HOST_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?$/;

/**
 * `127.0.0.1:8000`, `[::1]:8000`, `logs.example.com:8000`, `:8000` (every IPv4 interface); undefined
 * otherwise.
 */
export function parseAddress(text: string, defaultPort?: number): Address | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::([0-9]{1,5}))?$/.exec(text);
  if (match === null || text === '') return undefined;
  const [, bracketed, plain, portText] = match;
  const port = portText === undefined ? defaultPort : Number(portText);
  if (port === undefined || port > 65_535) return undefined;
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? { host: bracketed, port } : undefined;
  if (plain === undefined || plain === '') return { host: ALL_INTERFACES, port };
  return isHost(plain) ? { host: plain, port } : undefined;
}

function isHost(text: string): boolean {
  // Text of digits and dots must be an IP address: `127.0.0` is a mistake, not a name.
  if (/^[0-9.]+$/.test(text)) return isIP(text) === 4;
  return text.length <= 253 && HOST_NAME.test(text);
}

/** The notation of people and gRPC: `127.0.0.1:8000`, `unix:/run/some.sock`. */
export function formatAddress(address: Endpoint): string {
  if ('socketPath' in address) return `unix:${address.socketPath}`;
  const { host, port } = address;
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The inverse of `formatAddress`. Throws if the text is no address: configuration was checked before. */
export function parseEndpoint(text: string): Endpoint {
  if (text.startsWith(UNIX)) return { socketPath: text.slice(UNIX.length) };
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`"${text}" is not an address.`);
  return address;
}

const UNIX = 'unix:';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True if only this machine can reach it. */
export function isLoopback(address: Endpoint): boolean {
  if ('socketPath' in address) return true;
  const { host } = address;
  const version = isIP(host);
  if (version === 0) return host === 'localhost';
  return loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}
