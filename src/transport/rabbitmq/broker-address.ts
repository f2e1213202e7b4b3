import { isIP } from 'node:net';

/** One broker of a cluster: `amqps://user:password@host:5671/vhost`. */
export interface BrokerAddress {
  /** `stream`: the protocol of RabbitMQ streams. */
  readonly protocol: 'amqp' | 'stream';
  readonly host: string;
  readonly port: number;
  readonly hasTls: boolean;
  readonly vhost: string;
  /** undefined: not in the address. */
  readonly username: string | undefined;
  /** Secret. */
  readonly password: string | undefined;
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  'amqp:': { protocol: 'amqp', hasTls: false, port: 5672 },
  'amqps:': { protocol: 'amqp', hasTls: true, port: 5671 },
  'rabbitmq-stream:': { protocol: 'stream', hasTls: false, port: 5552 },
  'rabbitmq-stream+tls:': { protocol: 'stream', hasTls: true, port: 5551 },
};

export const BROKER_ADDRESS_FORMAT =
  '`amqp://host:port/vhost` or `amqps://host:port/vhost`, or a list of them';

/**
 * Reads an address. Returns undefined for anything else. Without a path, the virtual host is `/`; the path `/%2F` is the
 * same, and the path `/logs` is the virtual host `logs`.
 */
export function parseBrokerAddress(text: string): BrokerAddress | undefined {
  try {
    const { protocol, hostname, port, pathname, username, password, search, hash } = new URL(text);
    const scheme = SCHEMES[protocol];
    if (scheme === undefined || hostname === '' || search !== '' || hash !== '') return undefined;
    const vhost = decodeURIComponent(pathname.slice(1));
    return {
      protocol: scheme.protocol,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? scheme.port : Number(port),
      hasTls: scheme.hasTls,
      vhost: vhost === '' ? '/' : vhost,
      username: username === '' ? undefined : decodeURIComponent(username),
      password: password === '' ? undefined : decodeURIComponent(password),
    };
  } catch {
    return undefined;
  }
}

/** For logs and errors: without user and password. */
export function brokerAddressText({ protocol, host, port, hasTls, vhost }: BrokerAddress): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return `${schemeOf(protocol, hasTls)}//${name}:${port}${vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`}`;
}

interface Scheme {
  readonly protocol: BrokerAddress['protocol'];
  readonly hasTls: boolean;
  /** The default port. */
  readonly port: number;
}

function schemeOf(protocol: Scheme['protocol'], hasTls: boolean): string {
  if (protocol === 'stream') return hasTls ? 'rabbitmq-stream+tls:' : 'rabbitmq-stream:';
  return hasTls ? 'amqps:' : 'amqp:';
}
