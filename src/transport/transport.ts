/**
 * The two lower layers of every sending protocol: transport (sends bytes) and session (combines successive
 * connections). They are independent of the content.
 *
 *     application    the content                           src/protocols/<protocol>/
 *     presentation   encoding as packets or frames         src/protocols/<protocol>/
 *     session        LastingStream, PacketQueue      for callers that must not wait and cannot resend: a queue in memory
 *                    CheckedStream, CheckedPackets   for callers with a cursor that resend after a failure
 *     transport      packets: UdpTransport, UnixDatagramTransport
 *                    streams: SocketTransport (TCP, TLS, Unix), FileTransport, StdoutTransport
 *                    both:    MemoryTransport, for tests
 *
 * A session works with any transport of its kind; a presentation with any session of its kind. One call of
 * `send` is one datagram; calls of `write` are never interleaved.
 *
 * Limits: a connection buffers at most one write, whose size the session limits. A queue has a limit in
 * bytes. Opening and each write have a timeout. Unexpected bytes from a receiver are read and discarded, so
 * that the receiver does not block.
 *
 * Failures are values. No code here throws because of a network, a peer or a disk.
 */

/** The reason of a failure for operators; contains no content and no secret. */
export interface TransportFailure {
  readonly reason: string;
  /** The error code of Node or the system, if any: `ECONNREFUSED`. */
  readonly code?: string;
}

/** Sends packets: each arrives completely or not at all, without acknowledgement. */
export interface PacketTransport {
  /** For logs: `udp://log.example:12201`. */
  readonly address: string;
  /** Resolves when the kernel has accepted the packet, or to the failure. One call at a time. */
  send(packet: Uint8Array): Promise<TransportFailure | undefined>;
  /** Returns a failure reported since the last call for earlier packets, such as no listener. */
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
  /** Receives bytes from the receiver; without it they are discarded. */
  readonly onData?: (bytes: Buffer) => void;
  readonly signal?: AbortSignal;
}

export type Opening =
  | { readonly kind: 'open'; readonly connection: Connection }
  | { readonly kind: 'failed'; readonly failure: TransportFailure };

/** An open or ended connection. */
export interface Connection {
  /** The reason of its end; undefined while it is open. An end by the peer ends the connection. */
  readonly ended: ConnectionEnd | undefined;
  readonly whenEnded: Promise<ConnectionEnd>;
  /** Resolves when the kernel has accepted all bytes, or to the failure. One call at a time. */
  write(bytes: Uint8Array): Promise<TransportFailure | undefined>;
  /** Ends it in order after pending writes; immediately when the deadline aborts. */
  close(deadline: AbortSignal): Promise<void>;
  destroy(): void;
}

export interface ConnectionEnd extends TransportFailure {
  /** The peer closed it, without an error. */
  readonly orderly: boolean;
}
