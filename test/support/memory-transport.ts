import type {
  Connection,
  ConnectionEnd,
  Opening,
  PacketTransport,
  StreamTransport,
  TransportFailure,
} from '../../src/transport/transport.ts';

/**
 * Stores sent packets and connections, for tests of the layers above. It fails while `failWith` is set;
 * writes wait while `hold` is set.
 */
export class MemoryTransport implements PacketTransport, StreamTransport {
  readonly address = 'memory:';
  /** One packet for each call of `send`. */
  readonly packets: Buffer[] = [];
  readonly connections: MemoryConnection[] = [];
  failWith: TransportFailure | undefined;
  lateFailure: TransportFailure | undefined;
  #held: (() => void)[] | undefined;

  /** All written bytes of all connections. */
  get written(): Buffer {
    return Buffer.concat(this.connections.flatMap(({ writes }) => writes));
  }

  set hold(hold: boolean) {
    const held = this.#held;
    this.#held = hold ? (held ?? []) : undefined;
    if (!hold) for (const release of held ?? []) release();
  }

  async send(packet: Uint8Array): Promise<TransportFailure | undefined> {
    await this.released();
    if (this.failWith === undefined) this.packets.push(Buffer.from(packet));
    return this.failWith;
  }

  takeLateFailure(): TransportFailure | undefined {
    const failure = this.lateFailure;
    this.lateFailure = undefined;
    return failure;
  }

  open(): Promise<Opening> {
    if (this.failWith !== undefined) return Promise.resolve({ kind: 'failed', failure: this.failWith });
    const connection = new MemoryConnection(this);
    this.connections.push(connection);
    return Promise.resolve({ kind: 'open', connection });
  }

  close(): void {}

  /** Resolves immediately unless writes are held. */
  released(): Promise<void> {
    const held = this.#held;
    return held === undefined ? Promise.resolve() : new Promise((resolve) => void held.push(resolve));
  }
}

export class MemoryConnection implements Connection {
  readonly writes: Buffer[] = [];
  readonly whenEnded: Promise<ConnectionEnd>;
  readonly #transport: MemoryTransport;
  #ended: ConnectionEnd | undefined;
  #resolveEnded: (end: ConnectionEnd) => void = () => {};

  constructor(transport: MemoryTransport) {
    this.#transport = transport;
    this.whenEnded = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get ended(): ConnectionEnd | undefined {
    return this.#ended;
  }

  async write(bytes: Uint8Array): Promise<TransportFailure | undefined> {
    await Promise.race([this.#transport.released(), this.whenEnded]);
    const failure = this.#ended ?? this.#transport.failWith;
    if (failure === undefined) this.writes.push(Buffer.from(bytes));
    return failure;
  }

  close(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }

  destroy(): void {
    this.end({ reason: 'closed locally', orderly: true });
  }

  /** Ends the connection as the receiver would. */
  end(end: ConnectionEnd): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    this.#resolveEnded(end);
  }
}
