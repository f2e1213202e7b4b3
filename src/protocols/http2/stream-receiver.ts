import type { HeaderList } from './header-list.ts';

/** Receives one stream. Its methods must not throw. */
export interface StreamReceiver {
  /** Headers, then maybe trailers. Informational (1xx) headers are left out. `end`: the peer sends nothing more. */
  headers(list: HeaderList, end: boolean): void;
  /**
   * A part of the body; the borders of parts mean nothing. `view` is valid only during the call: the next read overwrites
   * its memory. The receiver calls `stream.consumed(view.length)` when the peer may send as many bytes more. An empty
   * view with `end` is possible.
   */
  data(view: Buffer, end: boolean): void;
  /** The stream is over; called once, in each case, last. */
  closed(end: StreamEnd): void;
}

export type StreamEnd =
  /** Both sides have sent everything. */
  | { readonly kind: 'complete' }
  /** The peer ended the stream with RST_STREAM. */
  | { readonly kind: 'reset'; readonly code: number }
  /** This side ended the stream: `reset()`, or an error of the peer in this stream. */
  | { readonly kind: 'cancelled'; readonly code: number; readonly reason: string }
  /** The peer has not processed this stream and never will (GOAWAY). A new connection may repeat it. */
  | { readonly kind: 'unprocessed'; readonly reason: string }
  /** The connection has ended. */
  | { readonly kind: 'disconnected'; readonly reason: string };
