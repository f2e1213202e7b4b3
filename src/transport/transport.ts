/**
 * The two lower layers of every protocol that sends: how bytes leave (transport), and how many connections look like
 * one (session). They know nothing of what they carry.
 *
 *     application    what is said                          src/protocols/<protocol>/
 *     presentation   how it is packed: packets or frames   src/protocols/<protocol>/
 *     session        LastingStream, PacketQueue      for who must not wait and cannot say it again: a queue in memory
 *                    CheckedStream, CheckedPackets   for who keeps a cursor and says it again after a failure
 *     transport      packets: UdpTransport, UnixDatagramTransport
 *                    streams: SocketTransport (TCP, TLS, Unix), FileTransport, StdoutTransport
 *                    both:    MemoryTransport, for tests
 *
 * A session takes any transport of its kind; a presentation goes over any session of its kind. One call of `send` is
 * one datagram; one call of `write` is never interleaved with another.
 *
 * Limits: what a connection has been given and the kernel has not taken is one write, which its session bounds. A
 * queue has a limit in bytes. Opening and each write have a time limit. What a receiver says and nobody asked for is read
 * and thrown away, so that it cannot fill up and freeze the receiver.
 *
 * Failures are values. Nothing here throws for what a network, a peer or a disk does.
 */

/** Why something did not work, for a person; holds no content and no secret. */
export interface TransportFailure {
  readonly reason: string;
  /** Node's or the system's word, where there is one: `ECONNREFUSED`. */
  readonly code?: string;
}

/** Sends packets: each arrives whole, or not at all, and nobody says which. */
export interface PacketTransport {
  /** For logs: `udp://log.example:12201`. */
  readonly address: string;
  /** Resolves when the kernel has the packet, or with why it has not. One call at a time. */
  send(packet: Uint8Array): Promise<TransportFailure | undefined>;
  /** What came back since the last call about packets sent before: nobody listens there. */
  takeLateFailure(): TransportFailure | undefined;
  close(): void;
}

/** Opens connections to one address, any number one after another. */
export interface StreamTransport {
  readonly address: string;
  /** Resolves when the connection can be written to: after the handshake, with TLS. */
  open(options?: OpenOptions): Promise<Opening>;
}

export interface OpenOptions {
  /** What the receiver says. Without it, that is thrown away. */
  readonly onData?: (bytes: Buffer) => void;
  readonly signal?: AbortSignal;
}

export type Opening =
  | { readonly kind: 'open'; readonly connection: Connection }
  | { readonly kind: 'failed'; readonly failure: TransportFailure };

/** One connection, from its opening to its end. */
export interface Connection {
  /** Why it is over; undefined while it lives. The peer's end of it is its end. */
  readonly ended: ConnectionEnd | undefined;
  readonly whenEnded: Promise<ConnectionEnd>;
  /** Resolves when the kernel has all of the bytes, or with why that is not known. One call at a time. */
  write(bytes: Uint8Array): Promise<TransportFailure | undefined>;
  /** Ends it in order, with what was written before; when the deadline aborts, at once. */
  close(deadline: AbortSignal): Promise<void>;
  destroy(): void;
}

export interface ConnectionEnd extends TransportFailure {
  /** The peer closed it, without an error. */
  readonly orderly: boolean;
}
