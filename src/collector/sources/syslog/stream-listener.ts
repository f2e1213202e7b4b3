import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer, type DropArgument, isIPv6, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket, type Server as TlsServer } from 'node:tls';
import { untilQuiet } from '../../../runtime/async/until-quiet.ts';
import { productVersion } from '../../../runtime/product-version.ts';
import { REUSED_READ_BUFFER, withReusedReadBuffer } from '../../../runtime/reused-read-buffer.ts';
import { ContentWatcher } from '../../../runtime/watching/content-watcher.ts';
import { clearSocketPath } from '../clear-socket-path.ts';
import { Connection, type ConnectionProtocol } from './connection.ts';
import { isRelp } from './listen-address.ts';
import { countedClients, type ListenerActivity } from './listener-activity.ts';
import type { ListenerTls } from './listener-configuration.ts';
import { clientRefusal, clientSubject, loadSecureContext, tlsFiles } from './listener-tls.ts';
import { contains, peerAddress } from './peer-address.ts';
import { PeerAttributes } from './peer-attributes.ts';
import { ReceivedMessages } from './received-messages.ts';
import type { RecordChannel } from './record-channel.ts';
import { RelpProtocol } from './relp-protocol.ts';
import { StreamProtocol } from './stream-protocol.ts';
import type { SyslogListener, SyslogListenerOptions } from './syslog-listener.ts';

/** Many senders connect at once after a restart. The kernel limits this to its `somaxconn`. */
const BACKLOG = 4096;
const HANDSHAKE_WITHIN_MS = 10_000;
const CLOSE_WITHIN_MS = 5000;
/** For the last answers of a connection that is closed. */
const LINGER_MS = 500;

/** Listens for TCP, TLS, RELP, RELP over TLS, or at a Unix stream socket. */
export class StreamListener implements SyslogListener {
  readonly #options: SyslogListenerOptions;
  readonly #connections = new Set<Connection>();
  /** Also those whose handshake has not ended. */
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #watcher: ContentWatcher | undefined;
  #whenEmpty: () => void = () => {};

  constructor(options: SyslogListenerOptions) {
    this.#options = options;
  }

  async open(): Promise<string> {
    const { configuration, events, listener } = this.#options;
    const { listen, maxConnections, socketMode, tls } = configuration;
    const server = tls === undefined ? createServer(NET_OPTIONS) : await this.#tlsServer(tls);
    server.maxConnections = maxConnections;
    server.on('drop', (dropped) => events.tooManyConnections({ listener, peer: droppedPeer(dropped) }));
    server.on('connection', (accepted: Socket) => {
      const readBytes = this.#sockets.size < LARGE_READ_SOCKETS ? LARGE_READ_BYTES : undefined;
      const socket = tls === undefined ? withReusedReadBuffer(accepted, readBytes) : accepted;
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      if (tls === undefined) this.#accept(socket);
    });
    if ('path' in listen) {
      await clearSocketPath(listen.path);
      server.listen({ path: listen.path, backlog: BACKLOG });
    } else if ('socketName' in listen) server.listen({ fd: this.#options.fd });
    else server.listen({ ...listen.address, backlog: BACKLOG });
    await once(server, 'listening');
    if ('path' in listen) await chmod(listen.path, socketMode);
    // A connection that cannot be accepted (no file descriptors) does not end the listener.
    server.on('error', (error) => events.listenFailed({ listener, reason: error.message }));
    this.#server = server;
    if (tls !== undefined) await this.#watch(server as TlsServer, tls);
    return addressText(server);
  }

  activity(): ListenerActivity {
    const addresses = Array.from(this.#connections, (connection) => connection.peerAddress ?? 'local');
    return { clients: countedClients(addresses), connections: this.#connections.size };
  }

  async close(deadline: AbortSignal): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await this.#watcher?.stop();
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    await untilQuiet(() => this.#receivedBytes());
    for (const connection of [...this.#connections]) connection.shutdown();
    await this.#connectionsEnded(deadline);
    for (const connection of [...this.#connections]) connection.close();
    for (const socket of this.#sockets) socket.destroySoon();
    const cancel = this.#options.clock.after(LINGER_MS, () => {
      for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    cancel();
  }

  async #tlsServer(tls: ListenerTls): Promise<TlsServer> {
    const { events, listener } = this.#options;
    const server = createTlsServer({
      ...(await loadSecureContext(tls)),
      handshakeTimeout: HANDSHAKE_WITHIN_MS,
      requestCert: tls.clientCertificate !== 'none',
      // `clientRefusal` decides: a permitted fingerprint needs no authority.
      rejectUnauthorized: false,
    });
    server.on('secureConnection', (socket) => {
      const refusal = clientRefusal(socket, tls);
      if (refusal === undefined) return this.#accept(socket);
      events.tlsFailed({ listener, peer: peerName(socket), reason: refusal });
      socket.destroy();
    });
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => this.#tlsFailed(error, socket));
    return server;
  }

  #tlsFailed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const { events, listener } = this.#options;
    const peer = peerName(socket);
    const code = error.code ?? '';
    // A port scan or a health check opens a connection and closes it.
    if (code === 'ECONNRESET') return;
    const isHttp = code === 'ERR_SSL_HTTP_REQUEST';
    if (isHttp || PLAIN_BYTES.has(code))
      events.wrongPeer({
        listener,
        peer,
        kind: isHttp ? 'http' : 'plain',
        found: isHttp ? HTTP_FOUND : PLAIN_FOUND,
      });
    else events.tlsFailed({ listener, peer, reason: error.message });
  }

  async #watch(server: TlsServer, tls: ListenerTls): Promise<void> {
    const { clock, events, listener } = this.#options;
    this.#watcher = new ContentWatcher({
      paths: tlsFiles(tls),
      clock,
      onChange: () => {
        loadSecureContext(tls).then(
          (context) => {
            server.setSecureContext(context);
            events.certificateReloaded({ listener });
          },
          (error: Error) => events.certificateRejected({ listener, reason: error.message }),
        );
      },
      // The watcher still polls.
      onFailure: () => {},
    });
    await this.#watcher.start();
  }

  #accept(socket: Socket): void {
    const { configuration, events, listener, clock } = this.#options;
    const { transport } = configuration.listen;
    const address = peerAddress(socket.remoteAddress);
    const peer = peerName(socket);
    if (address !== undefined && configuration.allow && !contains(configuration.allow, address)) {
      events.notAllowed({ listener, peer: address, messages: 1 });
      socket.destroy();
      return;
    }
    const attributes = new PeerAttributes({
      transport: transport === 'unix' ? 'unix' : 'tcp',
      address,
      port: socket.remotePort,
      subject: socket instanceof TLSSocket ? clientSubject(socket) : undefined,
      zones: configuration.zones,
    });
    const channel = this.#channel();
    const messages = new ReceivedMessages({ channel, attributes, events, listener, peer });
    const ended = () => {
      this.#connections.delete(connection);
      events.connections({ listener, open: this.#connections.size });
      if (this.#connections.size === 0) this.#whenEmpty();
    };
    const close = () => connection.close();
    const protocol = this.#protocol(socket, messages, { channel, peer, address: address ?? '', close });
    const connection: Connection = new Connection(
      { socket, channel, events, clock, listener, peer, ended },
      protocol,
    );
    this.#connections.add(connection);
    events.connections({ listener, open: this.#connections.size });
  }

  #channel(): RecordChannel {
    const { packed, channel, configuration } = this.#options;
    return packed?.connection({ isAnswered: isRelp(configuration.listen) }) ?? channel;
  }

  #protocol(
    socket: Socket,
    messages: ReceivedMessages,
    { channel, peer, address, close }: Accepted,
  ): ConnectionProtocol {
    const { configuration, events, listener, clock, resends, packed } = this.#options;
    const { framing, messageBytes: keptBytes, listen } = configuration;
    if (!isRelp(listen)) return new StreamProtocol(messages, framing, keptBytes);
    const track = resends?.track(address, packed === undefined);
    const softwareVersion = productVersion();
    return new RelpProtocol({
      ...{
        socket,
        messages,
        channel,
        track,
        keptBytes,
        softwareVersion,
        events,
        listener,
        peer,
        clock,
        close,
      },
    });
  }

  #receivedBytes(): number {
    let bytes = 0;
    for (const connection of this.#connections) bytes += connection.bytesRead;
    return bytes;
  }

  /** Resolves when all connections have ended, and after a few seconds in any case. */
  async #connectionsEnded(deadline: AbortSignal): Promise<void> {
    if (this.#connections.size === 0) return;
    const { clock } = this.#options;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(CLOSE_WITHIN_MS, resolve);
      this.#whenEmpty = () => {
        cancel();
        resolve();
      };
      deadline.addEventListener('abort', this.#whenEmpty, { once: true });
      if (deadline.aborted) this.#whenEmpty();
    });
  }
}

interface Accepted {
  readonly channel: RecordChannel;
  readonly peer: string;
  readonly address: string;
  readonly close: () => void;
}

/**
 * Large reads make a fast sender cheaper. A connection that waits for room in the journal holds its last read, so only the
 * first connections have them: with a thousand, 64 KiB for each is enough memory.
 */
const LARGE_READ_BYTES = 256 * 1024;
const LARGE_READ_SOCKETS = 32;
/** A client that has sent everything may close its side and wait for answers. TLS has no half-closed connections. */
const NET_OPTIONS = { allowHalfOpen: true, ...REUSED_READ_BUFFER };
const PLAIN_BYTES = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_UNKNOWN_PROTOCOL',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_BAD_RECORD_TYPE',
]);
const HTTP_FOUND = 'an HTTP request without TLS';
const PLAIN_FOUND = 'bytes without TLS, but the port is for TLS';

function peerName({ remoteAddress, remotePort }: Socket): string {
  const address = peerAddress(remoteAddress);
  if (address === undefined) return 'a local process';
  return isIPv6(address) ? `[${address}]:${remotePort}` : `${address}:${remotePort}`;
}

function droppedPeer(dropped: DropArgument | undefined): string {
  return peerAddress(dropped?.remoteAddress) ?? 'unknown';
}

function addressText(server: Server): string {
  const address = server.address();
  if (typeof address === 'string' || address === null) return address ?? '';
  return address.family === 'IPv6'
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}
