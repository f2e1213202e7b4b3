import type { Socket } from 'node:net';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import type { Clock } from '../../runtime/clock.ts';
import { http2ServersOf } from './http2-servers.ts';
import type { IntakeLimits } from './intake-limits.ts';

export interface ConnectionLimitsOptions {
  readonly limits: IntakeLimits;
  readonly clock: Clock;
  /** A connection was closed. */
  readonly onRefused: (peer: string, reason: string) => void;
}

/**
 * How many connections there may be: in all, of one address, of one certificate; and how long one may take to begin. A
 * connection is counted from its first packet, before TLS has been spoken. To be called once after the server has been bound.
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #byAddress = new Map<string, number>();
  readonly #byCertificate = new Map<string, number>();
  /** By address and port: how to end the wait for the handshake. */
  readonly #handshakes = new Map<string, () => void>();
  #all = 0;

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      http2Server.on('connection', (socket: Socket) => {
        // Without TLS there is no handshake; a connection without calls ends after a while.
        if (this.#connected(socket) && http2Server instanceof TlsServer) this.#awaitHandshake(socket);
      });
      http2Server.on('secureConnection', (socket: TLSSocket) => {
        this.#begun(peerOf(socket));
        this.#secured(socket);
      });
    }
  }

  #connected(socket: Socket): boolean {
    const { connections, connectionsPerAddress } = this.#options.limits;
    const address = socket.remoteAddress ?? 'local';
    if (this.#all >= connections) return this.#refuse(socket, `there are ${connections} connections`);
    if ((this.#byAddress.get(address) ?? 0) >= connectionsPerAddress)
      return this.#refuse(socket, `there are ${connectionsPerAddress} connections of this address`);
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
      this.#refuse(socket, 'the handshake was not complete in time'),
    );
    this.#handshakes.set(peer, cancel);
    socket.once('close', () => this.#begun(peer));
  }

  #secured(socket: TLSSocket): boolean {
    const { fingerprint256 } = socket.getPeerCertificate();
    if (fingerprint256 === undefined) return true;
    const { connectionsPerCertificate } = this.#options.limits;
    if ((this.#byCertificate.get(fingerprint256) ?? 0) >= connectionsPerCertificate)
      return this.#refuse(socket, `there are ${connectionsPerCertificate} connections with this certificate`);
    add(this.#byCertificate, fingerprint256, 1);
    socket.once('close', () => add(this.#byCertificate, fingerprint256, -1));
    return true;
  }

  #begun(peer: string): void {
    this.#handshakes.get(peer)?.();
    this.#handshakes.delete(peer);
  }

  #refuse(socket: Socket, reason: string): false {
    this.#options.onRefused(peerOf(socket), reason);
    socket.destroy();
    return false;
  }
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
