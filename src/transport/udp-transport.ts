import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { PacketTransport, TransportFailure } from './transport.ts';
import { failureOf, timedOut } from './transport-failure.ts';

/** The largest datagram over IPv4. */
export const MAX_UDP_PAYLOAD_BYTES = 65_507;

/**
 * Datagrams over UDP. The socket is connected, since only then does the system report a missing listener
 * (ICMP, at the earliest with the packet after the lost one). After a failure, the next of several addresses
 * is used.
 */
export class UdpTransport implements PacketTransport {
  readonly address: string;
  readonly #host: string;
  readonly #port: number;
  readonly #options: Required<{ [Key in keyof UdpTransportOptions]: NonNullable<UdpTransportOptions[Key]> }>;
  #resolved: Resolved | undefined;
  #failures = 0;
  #lateFailure: TransportFailure | undefined;
  #closed = false;

  constructor(host: string, port: number, options: UdpTransportOptions = {}) {
    this.address = `udp://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
    this.#host = host;
    this.#port = port;
    this.#options = {
      clock: options.clock ?? systemClock,
      resolveEveryMs: options.resolveEveryMs ?? 60_000,
      resolveTimeoutMs: options.resolveTimeoutMs ?? 10_000,
      resolve: options.resolve ?? ((name) => lookup(name, { all: true })),
    };
  }

  async send(packet: Uint8Array): Promise<TransportFailure | undefined> {
    if (this.#closed) return { reason: 'closed' };
    const socket = await this.#socket();
    if ('reason' in socket) return socket;
    const error = await new Promise<Error | null>((resolve) => {
      try {
        socket.send(packet, resolve);
      } catch (thrown) {
        // An error of the previous packet closed it.
        resolve(thrown as Error);
      }
    });
    if (error === null) return undefined;
    this.#drop();
    return failureOf(error);
  }

  takeLateFailure(): TransportFailure | undefined {
    const failure = this.#lateFailure;
    this.#lateFailure = undefined;
    return failure;
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  async #socket(): Promise<Socket | TransportFailure> {
    const { clock, resolveEveryMs } = this.#options;
    const now = clock.monotonicMs();
    const known = this.#resolved;
    if (known !== undefined && now - known.atMs < resolveEveryMs) return known.socket;
    const found = await this.#resolve();
    if ('reason' in found) {
      // Keeps using the last address; the name is resolved again later.
      if (known === undefined) return found;
      this.#resolved = { ...known, atMs: now };
      return known.socket;
    }
    if (known?.address === found.address) {
      this.#resolved = { ...known, atMs: now };
      return known.socket;
    }
    return await this.#connect(found, now);
  }

  async #resolve(): Promise<ResolvedAddress | TransportFailure> {
    const { clock, resolve, resolveTimeoutMs } = this.#options;
    const family = isIP(this.#host);
    if (family !== 0) return { address: this.#host, family };
    const addresses = await new Promise<readonly ResolvedAddress[] | TransportFailure>((settle) => {
      const cancel = clock.after(resolveTimeoutMs, () => settle(timedOut('no address', resolveTimeoutMs)));
      resolve(this.#host)
        .then(settle, (error) => settle(failureOf(error)))
        .finally(cancel);
    });
    if ('reason' in addresses) return addresses;
    return addresses[this.#failures % addresses.length] ?? { reason: 'the host has no address' };
  }

  async #connect({ address, family }: ResolvedAddress, atMs: number): Promise<Socket | TransportFailure> {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const failure = await new Promise<TransportFailure | undefined>((resolve) => {
      socket.once('error', (error) => resolve(failureOf(error)));
      socket.connect(this.#port, address, (error?: Error) => resolve(error && failureOf(error)));
    });
    socket.removeAllListeners('error');
    if (failure !== undefined || this.#closed) {
      socket.close();
      this.#failures++;
      return failure ?? { reason: 'closed' };
    }
    socket.on('error', (error) => this.#onLateError(socket, error));
    this.#resolved?.socket.close();
    this.#resolved = { socket, address, atMs };
    return socket;
  }

  #onLateError(socket: Socket, error: Error): void {
    if (this.#resolved?.socket !== socket) return;
    this.#lateFailure = failureOf(error);
    this.#drop();
  }

  #drop(): void {
    if (this.#resolved === undefined) return;
    this.#failures++;
    this.#resolved.socket.close();
    this.#resolved = undefined;
  }
}

export interface UdpTransportOptions {
  readonly clock?: Clock | undefined;
  /** The name is resolved again after this long, and after every failure. Default 60 s. */
  readonly resolveEveryMs?: number | undefined;
  readonly resolveTimeoutMs?: number | undefined;
  /** Resolves all addresses of a name. Default: the system's resolver. */
  readonly resolve?: ((host: string) => Promise<readonly ResolvedAddress[]>) | undefined;
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

interface Resolved {
  readonly socket: Socket;
  readonly address: string;
  readonly atMs: number;
}
