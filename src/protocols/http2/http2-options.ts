import type { HeaderList } from './header-list.ts';
import type { Http2Clock } from './http2-clock.ts';
import type { Http2Output } from './http2-output.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { StreamReceiver } from './stream-receiver.ts';

export interface Http2ConnectionOptions {
  readonly role: 'client' | 'server';
  readonly output: Http2Output;
  readonly clock: Http2Clock;
  /** The bytes that a peer may send on one stream before they are consumed. At least 1, at most 2^31-1. */
  readonly streamWindowBytes: number;
  /** The same for all streams of the connection together. At least 65,535, which the protocol gives each connection. */
  readonly connectionWindowBytes: number;
  /** Streams that the peer may have open at the same time. Default: 100 for a server. A client accepts none. */
  readonly concurrentStreams?: number | undefined;
  /** The largest DATA frame that the peer may send. Default 16 MiB - 1: a frame is never held in memory. */
  readonly frameBytes?: number | undefined;
  /** Names and values of the headers of one message, and the same again compressed. Default 16 KiB. */
  readonly headerListBytes?: number | undefined;
  readonly keepalive?: KeepaliveOptions | undefined;
  /**
   * Only for a server: a peer has opened a stream. Returns its receiver; the headers are passed to `headers` of the
   * receiver after that. The stream may be used, also reset, during the call.
   */
  readonly onStream?: ((stream: Http2Stream, headers: HeaderList) => StreamReceiver) | undefined;
  /** The peer has sent its settings: it speaks HTTP/2. Called once. */
  readonly onReady?: (() => void) | undefined;
  /** The peer has acknowledged settings: its windows may be smaller now. */
  readonly onSettingsAcknowledged?: (() => void) | undefined;
  /** The peer accepts no new streams. Existing ones continue, except those it reports as `unprocessed`. */
  readonly onGoAway?: ((code: number, reason: string) => void) | undefined;
  /** The connection has ended; called once, after `closed` of all streams. */
  readonly onClosed: (end: ConnectionEnd) => void;
}

export interface ConnectionEnd {
  readonly reason: string;
  /** The error code that one side sent (RFC 9113, section 7); undefined when the transport ended. */
  readonly code?: number | undefined;
  /** This side ended the connection because of an error or a limit of the peer. */
  readonly isPeerFault: boolean;
}

export interface KeepaliveOptions {
  /** A PING follows when nothing was received for as long. */
  readonly intervalMs: number;
  /** The connection ends when then nothing is received for as long. */
  readonly timeoutMs: number;
  /** Default: false, only while a stream is open. */
  readonly withoutStreams?: boolean | undefined;
}
