import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContextOptions } from 'node:tls';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Opening, OpenOptions, StreamTransport } from './transport.ts';
import { failureOf, timedOut } from './transport-failure.ts';
import { DEFAULT_WRITE_TIMEOUT_MS, WritableConnection } from './writable-connection.ts';

/** Connections over sockets. The name is resolved for each connection. */
export class SocketTransport implements StreamTransport {
  readonly address: string;
  readonly #dial: () => Socket;
  readonly #readyEvent: 'connect' | 'secureConnect';
  readonly #options: SocketTransportOptions;

  private constructor(
    address: string,
    dial: () => Socket,
    options: SocketTransportOptions & { readonly readyEvent?: 'secureConnect' },
  ) {
    this.address = address;
    this.#dial = dial;
    this.#readyEvent = options.readyEvent ?? 'connect';
    this.#options = options;
  }

  static tcp(host: string, port: number, options: SocketTransportOptions = {}): SocketTransport {
    return new SocketTransport(`tcp://${withPort(host, port)}`, () => connectPlain({ host, port }), options);
  }

  static unix(path: string, options: SocketTransportOptions = {}): SocketTransport {
    return new SocketTransport(`unix:${path}`, () => connectPlain({ path }), options);
  }

  /** TLS from the first byte, 1.2 or newer; the receiver's certificate is always verified. */
  static tls(
    host: string,
    port: number,
    tls: TlsClientOptions,
    options: SocketTransportOptions = {},
  ): SocketTransport {
    const context: SecureContextOptions = { minVersion: 'TLSv1.2' };
    if (tls.ca !== undefined) context.ca = tls.ca;
    if (tls.certificate !== undefined) context.cert = tls.certificate;
    if (tls.key !== undefined) context.key = tls.key;
    const name = tls.serverName ?? host;
    // SNI allows only names; an IP address is still verified as the host.
    const target = isIP(name) === 0 ? { host, port, servername: name } : { host, port };
    const alpn = tls.alpnProtocols === undefined ? {} : { ALPNProtocols: [...tls.alpnProtocols] };
    const dial = () =>
      connectTls({ ...context, ...target, ...alpn, rejectUnauthorized: tls.insecure !== true });
    return new SocketTransport(`tls://${withPort(host, port)}`, dial, {
      ...options,
      readyEvent: 'secureConnect',
    });
  }

  open({ onData, signal }: OpenOptions = {}): Promise<Opening> {
    const { clock = systemClock, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = this.#options;
    if (signal?.aborted) return Promise.resolve(failed('aborted'));
    return new Promise((resolve) => {
      const attempt = this.#attempt();
      if ('failure' in attempt) {
        resolve(attempt);
        return;
      }
      const { socket } = attempt;
      const settle = (opening: Opening) => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
        socket.off('close', onClose);
        if (opening.kind === 'failed') socket.destroy();
        resolve(opening);
      };
      const onAbort = () => settle(failed('aborted'));
      const onClose = () => settle(failed('the receiver closed the connection before it was ready'));
      const cancel = clock.after(connectTimeoutMs, () => {
        settle({ kind: 'failed', failure: timedOut('no connection', connectTimeoutMs) });
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      // Never removed: a socket error without a listener would end the process.
      socket.on('error', (error) => settle({ kind: 'failed', failure: failureOf(error) }));
      socket.once('close', onClose);
      socket.once(this.#readyEvent, () =>
        settle({ kind: 'open', connection: this.#connection(socket, onData) }),
      );
    });
  }

  /** Node validates some TLS options only now, and throws. */
  #attempt(): { socket: Socket } | (Opening & { kind: 'failed' }) {
    try {
      return { socket: this.#dial() };
    } catch (error) {
      return { kind: 'failed', failure: failureOf(error) };
    }
  }

  #connection(socket: Socket, onData: ((bytes: Buffer) => void) | undefined): WritableConnection {
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    if (onData === undefined) socket.resume();
    else socket.on('data', onData);
    const { clock = systemClock, writeTimeoutMs = DEFAULT_WRITE_TIMEOUT_MS } = this.#options;
    return new WritableConnection(socket, { clock, writeTimeoutMs });
  }
}

export interface SocketTransportOptions {
  readonly clock?: Clock | undefined;
  /** Name resolution, connection and handshake together. Default 10 s. */
  readonly connectTimeoutMs?: number | undefined;
  /** Maximum time until the kernel accepts a write. Default 10 s. */
  readonly writeTimeoutMs?: number | undefined;
}

export interface TlsClientOptions {
  /** Trusted certificate authorities, PEM; default: those of Node. */
  readonly ca?: string | undefined;
  /** The client certificate with its chain, and its key, PEM. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** The expected name in the receiver's certificate; default: the host. */
  readonly serverName?: string | undefined;
  /** Protocols that the receiver may choose from, such as `h2`. */
  readonly alpnProtocols?: readonly string[] | undefined;
  /** The certificate of the receiver is not verified. */
  readonly insecure?: boolean | undefined;
}

const KEEP_ALIVE_MS = 30_000;
const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

function failed(reason: string): Opening & { kind: 'failed' } {
  return { kind: 'failed', failure: { reason } };
}

function withPort(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
