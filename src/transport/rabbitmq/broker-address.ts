import { isIP } from 'node:net';

/** One broker of a cluster: `amqps://user:password@host:5671/vhost`. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly hasTls: boolean;
  readonly vhost: string;
  /** undefined: not in the address. */
  readonly username: string | undefined;
  /** Secret. */
  readonly password: string | undefined;
}

const DEFAULT_BROKER_PORT = 5672;
const DEFAULT_BROKER_TLS_PORT = 5671;
export const BROKER_ADDRESS_FORMAT =
  '`amqp://host:port/vhost` or `amqps://host:port/vhost`, or a list of them';

/**
 * Reads an address. Returns undefined for anything else. Without a path, the virtual host is `/`; the path `/%2F` is the
 * same, and the path `/logs` is the virtual host `logs`.
 */
export function parseBrokerAddress(text: string): BrokerAddress | undefined {
  try {
    const { protocol, hostname, port, pathname, username, password, search, hash } = new URL(text);
    const hasTls = protocol === 'amqps:';
    if ((!hasTls && protocol !== 'amqp:') || hostname === '' || search !== '' || hash !== '')
      return undefined;
    const vhost = decodeURIComponent(pathname.slice(1));
    return {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (hasTls ? DEFAULT_BROKER_TLS_PORT : DEFAULT_BROKER_PORT) : Number(port),
      hasTls,
      vhost: vhost === '' ? '/' : vhost,
      username: username === '' ? undefined : decodeURIComponent(username),
      password: password === '' ? undefined : decodeURIComponent(password),
    };
  } catch {
    return undefined;
  }
}

/** For logs and errors: without user and password. */
export function brokerAddressText({ host, port, hasTls, vhost }: BrokerAddress): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return `${hasTls ? 'amqps' : 'amqp'}://${name}:${port}${vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`}`;
}
