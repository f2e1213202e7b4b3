import type { Socket } from 'node:net';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import type { Clock } from '../../../runtime/clock.ts';
import { http2ServersOf } from './http2-servers.ts';
import type { IntakeLimits } from './intake-limits.ts';

/**
 * Limits the number of connections: in all, for each address, and for each certificate; and the time of the TLS handshake.
 * A connection is counted from its first packet, before TLS. Watches each server once, after it is bound.
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #byAddress = new Map<string, number>();
  readonly #byCertificate = new Map<string, number>();
  /** Cancels the deadline of a handshake, by address and port. */
  readonly #handshakes = new Map<string, () => void>();
  #all = 0;

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      http2Server.on('connection', (socket: Socket) => {
        // Without TLS there is no handshake, and a connection without calls is idle: grpc-js ends it.
        if (this.#connected(socket) && http2Server instanceof TlsServer) this.#awaitHandshake(socket);
      });
      http2Server.on('secureConnection', (socket: TLSSocket) => {
        this.#handshakeEnded(peerOf(socket));
        this.#secured(socket);
      });
    }
  }

  #connected(socket: Socket): boolean {
    const { connections, connectionsPerAddress } = this.#options.limits;
    const address = socket.remoteAddress ?? 'local';
    if (this.#all >= connections) return this.#close(socket, `the limit of ${connections} connections`);
    if ((this.#byAddress.get(address) ?? 0) >= connectionsPerAddress)
      return this.#close(socket, `the limit of ${connectionsPerAddress} connections from one address`);
    this.#all++;
    add(this.#byAddress, address, 1);
    socket.once('close', () => {
      this.#all--;
      add(this.#byAddress, address, -1);
    });
    return true;
  }

  #awaitHandshake(socket: Socket): void {
    const peer = peerOf(socket);
    const { clock, limits } = this.#options;
    const cancel = clock.after(limits.handshakeWithinMs, () =>
      this.#close(socket, `no TLS handshake within ${limits.handshakeWithinMs / 1000} s`),
    );
    this.#handshakes.set(peer, cancel);
    socket.once('close', () => this.#handshakeEnded(peer));
  }

  #secured(socket: TLSSocket): boolean {
    const { fingerprint256 } = socket.getPeerCertificate();
    if (fingerprint256 === undefined) return true;
    const { connectionsPerCertificate } = this.#options.limits;
    if ((this.#byCertificate.get(fingerprint256) ?? 0) >= connectionsPerCertificate)
      return this.#close(
        socket,
        `the limit of ${connectionsPerCertificate} connections with one certificate`,
      );
    add(this.#byCertificate, fingerprint256, 1);
    socket.once('close', () => add(this.#byCertificate, fingerprint256, -1));
    return true;
  }

  #handshakeEnded(peer: string): void {
    this.#handshakes.get(peer)?.();
    this.#handshakes.delete(peer);
  }

  #close(socket: Socket, reason: string): false {
    this.#options.onClosed(peerOf(socket), reason);
    socket.destroy();
    return false;
  }
}

export interface ConnectionLimitsOptions {
  readonly limits: IntakeLimits;
  readonly clock: Clock;
  /** A connection was closed. */
  readonly onClosed: (peer: string, reason: string) => void;
}

function peerOf({
  remoteAddress = 'local',
  remotePort,
}: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return remotePort === undefined ? remoteAddress : `${remoteAddress}:${remotePort}`;
}

function add(counts: Map<string, number>, key: string, count: number): void {
  const sum = (counts.get(key) ?? 0) + count;
  if (sum > 0) counts.set(key, sum);
  else counts.delete(key);
}
