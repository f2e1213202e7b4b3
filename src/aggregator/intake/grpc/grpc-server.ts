import { createServer as createPlainServer, type Server, Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { GrpcPeer, GrpcServerMethod } from '../../../protocols/grpc/grpc-server-method.ts';
import { GRPC_STATUS } from '../../../protocols/grpc/grpc-status.ts';
import { untilAborted } from '../../../runtime/async/until-aborted.ts';
import type { BufferPool } from '../../../runtime/buffer-pool.ts';
import type { Cancel, Clock } from '../../../runtime/clock.ts';
import { secureContextOptions, serverTlsOptions } from '../../../runtime/tls.ts';
import type { TlsServerCredentials } from '../../../runtime/tls-server-credentials.ts';
import { ConnectionLimits, type CountedConnection } from './connection-limits.ts';
import { GrpcConnection } from './grpc-connection.ts';
import { handshakeFailure } from './handshake-failure.ts';
import type { IntakeLimits } from './intake-limits.ts';
import { listenAt } from './listen-at.ts';
import { SharedWindows } from './shared-windows.ts';
import { UnfinishedMessages } from './unfinished-messages.ts';

const SHUTDOWN_WITHIN_MS = 1_000;
const SHUTTING_DOWN = { code: GRPC_STATUS.unavailable, message: 'shutting down' };

/** A connection before its TLS handshake has ended. */
interface Pending {
  readonly socket: Socket;
  readonly counted: CountedConnection;
  /** Cancels the deadline of the TLS handshake. */
  readonly cancelDeadline: Cancel;
}

/** Accepts connections, in plain text or with TLS, and serves calls of gRPC on them. */
export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #limits: ConnectionLimits;
  readonly #windows: SharedWindows;
  readonly #unfinished: UnfinishedMessages;
  readonly #pending = new Map<string | Socket, Pending>();
  readonly #connections = new Set<GrpcConnection>();
  #servers: readonly Server[] = [];
  #stopReloads: () => void = () => {};
  #onEmpty: () => void = () => {};

  constructor(options: GrpcServerOptions) {
    const { limits, clock } = options;
    this.#options = options;
    this.#limits = new ConnectionLimits(limits);
    this.#windows = new SharedWindows({ connections: limits.connections, clock });
    this.#unfinished = new UnfinishedMessages({
      limitBytes: limits.unfinishedBytes,
      withinMs: limits.messageWithinMs,
      clock,
      onEnded: options.onClosed,
      onBytes: options.onUnfinishedBytes,
    });
  }

  /** Returns the port. `address`: `host:port`, or `unix:path`. */
  async listen(address: string): Promise<number> {
    const { port, servers } = await listenAt(address, () => this.#createServer());
    this.#servers = servers;
    for (const server of servers)
      server.on('error', (error) => this.#options.onClosed('unknown', `not accepted: ${error.message}`));
    return port;
  }

  /** Accepts no more connections and no more calls. */
  drain(): void {
    this.#stopReloads();
    for (const server of this.#servers) server.close();
    for (const connection of this.#connections) connection.goAway();
  }

  /** Ends all calls, and closes the connections when the peers have read that; some time later in any case. */
  async close(deadline: AbortSignal): Promise<void> {
    this.drain();
    this.#unfinished.stop();
    this.#windows.stop();
    for (const connection of [...this.#connections]) connection.endCalls(SHUTTING_DOWN);
    for (const { socket } of [...this.#pending.values()]) socket.destroy();
    const isEmpty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.#connections.size === 0) resolve();
    });
    await untilAborted(isEmpty, AbortSignal.any([deadline, AbortSignal.timeout(SHUTDOWN_WITHIN_MS)]));
    for (const connection of [...this.#connections]) connection.destroy(SHUTTING_DOWN.message);
  }

  #createServer(): Server {
    const { credentials } = this.#options;
    if (credentials === undefined)
      return createPlainServer({ pauseOnConnect: true, noDelay: true }, (socket) => this.#accept(socket));
    const server = createTlsServer({
      ...serverTlsOptions(credentials.material),
      ALPNProtocols: ['h2'],
      noDelay: true,
    });
    server.on('connection', (socket: Socket) => this.#awaitHandshake(socket));
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error, socket) => this.#handshakeFailed(error, socket));
    this.#reload(server, credentials);
    return server;
  }

  #reload(server: TlsServer, credentials: TlsServerCredentials): void {
    const stopEarlier = this.#stopReloads;
    const stop = credentials.onReload((material) => server.setSecureContext(secureContextOptions(material)));
    this.#stopReloads = () => {
      stopEarlier();
      stop();
    };
  }

  /** A connection without TLS. */
  #accept(socket: Socket): void {
    const counted = this.#count(socket);
    if (counted !== undefined) this.#serve(socket, peerOf(socket), counted);
  }

  #awaitHandshake(socket: Socket): void {
    const counted = this.#count(socket);
    if (counted === undefined) return;
    const key = pendingKey(socket, socket);
    const { clock, limits } = this.#options;
    const cancelDeadline = clock.after(limits.handshakeWithinMs, () =>
      this.#refuse(socket, `no TLS handshake within ${limits.handshakeWithinMs / 1000} s`),
    );
    const pending = { socket, counted, cancelDeadline };
    this.#pending.set(key, pending);
    socket.once('close', () => {
      cancelDeadline();
      counted.closed();
      if (this.#pending.get(key) === pending) this.#pending.delete(key);
    });
  }

  #secured(socket: TLSSocket): void {
    const peer = peerOf(socket);
    const key = pendingKey(socket, plainSocketOf(socket));
    const pending = this.#pending.get(key);
    if (pending === undefined) {
      socket.destroy();
      return;
    }
    this.#pending.delete(key);
    pending.cancelDeadline();
    if (socket.alpnProtocol !== 'h2') {
      this.#options.onHandshakeFailed(peer.address, 'the client does not offer HTTP/2 by ALPN');
      socket.destroy();
      return;
    }
    const { fingerprint256, subject } = socket.getPeerCertificate();
    const exceeded = fingerprint256 === undefined ? undefined : pending.counted.secured(fingerprint256);
    if (exceeded !== undefined) this.#refuse(socket, exceeded);
    else this.#serve(socket, { ...peer, tlsSubject: subjectText(subject) }, pending.counted);
  }

  #handshakeFailed(error: Error, socket: TLSSocket): void {
    const { remoteAddress } = socket;
    const peer = remoteAddress === undefined ? 'disconnected' : peerOf(socket).address;
    this.#options.onHandshakeFailed(peer, handshakeFailure(error, socket));
  }

  #serve(socket: Socket, peer: GrpcPeer, counted: CountedConnection): void {
    const { clock, method, onClosed } = this.#options;
    const connection = new GrpcConnection(socket, {
      peer,
      clock,
      method,
      windows: this.#windows,
      unfinished: this.#unfinished,
      messages: this.#options.messages,
      onCallEnded: (reason) => onClosed(peer.address, reason),
      onClosed: ({ reason, isPeerFault }) => {
        counted.closed();
        if (isPeerFault) onClosed(peer.address, reason);
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#onEmpty();
      },
    });
    this.#connections.add(connection);
  }

  #count(socket: Socket): CountedConnection | undefined {
    socket.on('error', () => {});
    const counted = this.#limits.open(peerOf(socket).host);
    if (typeof counted !== 'string') return counted;
    this.#refuse(socket, counted);
    return undefined;
  }

  #refuse(socket: Socket, reason: string): void {
    this.#options.onClosed(peerOf(socket).address, reason);
    socket.destroy();
  }
}

export interface GrpcServerOptions {
  /** undefined: plain text. */
  readonly credentials: TlsServerCredentials | undefined;
  readonly method: (path: string) => GrpcServerMethod | undefined;
  readonly limits: IntakeLimits;
  readonly clock: Clock;
  /** Memory for messages. undefined: each has new memory. */
  readonly messages?: BufferPool | undefined;
  /** A connection or a call was closed because of a limit, or of a fault of the peer. */
  readonly onClosed: (peer: string, reason: string) => void;
  readonly onHandshakeFailed: (peer: string, reason: string) => void;
  /** Received bytes of incomplete messages have changed. */
  readonly onUnfinishedBytes: (bytes: number) => void;
}

/** The address and port; a Unix socket has none, and is its own key. */
function pendingKey(socket: Socket, plain: Socket | undefined): string | Socket {
  return socket.remotePort === undefined && plain !== undefined ? plain : peerOf(socket).address;
}

/** The accepted socket of a TLS socket. It is no documented property, but is the same in Node 20 to 24. */
function plainSocketOf(socket: TLSSocket): Socket | undefined {
  const parent: unknown = (socket as { readonly _parent?: unknown })._parent;
  return parent instanceof Socket ? parent : undefined;
}

/** A Unix socket has no address. */
function peerOf({
  remoteAddress: host = 'local',
  remotePort,
}: Pick<Socket, 'remoteAddress' | 'remotePort'>): GrpcPeer {
  return { host, address: remotePort === undefined ? host : `${host}:${remotePort}`, tlsSubject: undefined };
}

/** As `CN=..., O=...`. */
function subjectText(subject: object | undefined): string | undefined {
  if (subject === undefined) return undefined;
  return Object.entries(subject)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(', ');
}
