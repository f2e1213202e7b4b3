import type { GrpcStatus } from './grpc-status.ts';

/** Accepts a call. The receiver gets what the peer sends. */
export type GrpcServerMethod = (call: GrpcServerCall) => GrpcCallReceiver;

/** The other side of a connection. */
export interface GrpcPeer {
  /** `192.0.2.1:5000` */
  readonly address: string;
  /** The address without the port: all connections of a host. */
  readonly host: string;
  /** The subject of the verified client certificate: `CN=..., O=...`; undefined without TLS. */
  readonly tlsSubject: string | undefined;
}

/** One call, as its method sees it. Messages are encoded. After the end of the call every function does nothing. */
export interface GrpcServerCall {
  readonly peer: GrpcPeer;
  /** False: the peer reads too slowly. The message is kept and sent; `drained` follows. */
  send(message: Uint8Array): boolean;
  /** From now on, and without an exception, no message is delivered until `resume`. The peer is held back. */
  pause(): void;
  resume(): void;
  /** Ends the call after the messages that were sent. */
  end(status?: GrpcStatus): void;
}

/** Its functions may throw: the call then ends with INTERNAL. */
export interface GrpcCallReceiver {
  /**
   * A message of this size begins, and has no memory yet. False: it is not read until `resume`; then the method is queried
   * again. Absent: each message is read.
   */
  mayReceive?(bytes: number): boolean;
  /** The method may keep the message. */
  receive(message: Buffer): void;
  /** The peer has read what was sent. */
  drained?(): void;
  /** The peer sends no more messages. It still reads answers. */
  peerEnded(): void;
  /** The call is over; called once, in each case, last. */
  closed(reason: string): void;
}
