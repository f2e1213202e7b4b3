import type { PublishResponse } from '../../../records/gen/megacollector/v1/aggregator.ts';
import type { IncomingRequest } from '../../../records/publish-codec.ts';

/** One Publish call as the protocol sees it: messages in both directions, in order. gRPC is one transport. */
export interface PublishTransport {
  /** The address with its port. */
  readonly peer: string;
  /** The address without its port. */
  readonly host: string;
  /** The subject of the verified client certificate; undefined without TLS. */
  readonly tlsSubject: string | undefined;
  /** False: the peer reads too slowly. The message is kept and sent; `drained` follows. */
  send(message: PublishAnswer): boolean;
  /** From now on, and without an exception, no request is delivered until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the call after the messages that were sent. */
  end(): void;
  /** Ends the call with an error after the messages that were sent. */
  fail(failure: CallFailure, reason: string): void;
}

/** Receives what happens on a transport. */
export interface PublishReceiver {
  /** A request of this size begins. False: the transport reads nothing more until `resume`; then it queries again. */
  mayReceive(bytes: number): boolean;
  receive(request: IncomingRequest): void;
  /** The peer has read what was sent. */
  drained(): void;
  /** The peer sends no more requests. It still reads answers. */
  peerEnded(): void;
  /** The call is gone: nothing can be sent. */
  closed(reason: string): void;
}

export type PublishAnswer = NonNullable<PublishResponse['message']>;

/** Why the aggregator ends a call. Each has a status code of gRPC. */
export type CallFailure =
  | 'unavailable'
  | 'protocol-broken'
  | 'no-hello'
  | 'wrong-version'
  | 'not-permitted'
  | 'too-many-refusals'
  | 'replaced';
