/** A host with an optional port. */
export interface Endpoint {
  /** A name, or an address; IPv6 without brackets. */
  readonly address: string;
  readonly port: number | undefined;
}

const BRACKETED = /^\[([^\]]+)\](?::(\d{1,5}))?$/;
const WITH_PORT = /^([^:]+):(\d{1,5})$/;
/** The names of proxies for an unknown client (RFC 7239, section 6.2). */
const UNKNOWN = new Set(['', '-', 'unknown', '""']);

const IPV4_WITH_PORT = /^(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})$/;

/** `host`, `host:port`, `::1`, `[::1]`, `[::1]:port`; undefined for `-` and `unknown`. */
export function parseServer(text: string): Endpoint | undefined {
  return parseEndpoint(text, WITH_PORT);
}

/** The same; only an address has a port. */
export function parseClient(text: string): Endpoint | undefined {
  return parseEndpoint(text, IPV4_WITH_PORT);
}

function parseEndpoint(text: string, withPort: RegExp): Endpoint | undefined {
  if (!text.includes(':')) return known(text, undefined);
  const [, address = text, port] = BRACKETED.exec(text) ?? withPort.exec(text) ?? [];
  return known(address, port === undefined || Number(port) > 65_535 ? undefined : Number(port));
}

function known(address: string, port: number | undefined): Endpoint | undefined {
  return UNKNOWN.has(address) ? undefined : { address, port };
}
