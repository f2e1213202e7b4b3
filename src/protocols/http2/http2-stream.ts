import type { HeaderList } from './header-list.ts';

/** One stream, as its user sees it. Every method may be called at any time; after the end it does nothing. */
export interface Http2Stream {
  readonly id: number;
  /** The stream is over. */
  readonly isClosed: boolean;
  /** Bytes of `sendData` that are not written to the socket. */
  readonly queuedBytes: number;
  /** Bytes that were received and not consumed. */
  readonly unconsumedBytes: number;
  /** Sends headers or trailers, after all data before. `end`: nothing follows. */
  sendHeaders(headers: HeaderList, options?: { readonly end?: boolean | undefined }): void;
  /**
   * Sends the parts as DATA, without a copy. The parts must not change until `onSent`, which reports that they were
   * written to the socket; it is never called when the stream or the connection ends earlier. Nothing limits the queue:
   * the caller observes `queuedBytes` or `onSent`.
   */
  sendData(parts: readonly Uint8Array[], options?: SendOptions): void;
  /** Ends the stream at once with RST_STREAM. The receiver's `closed` is called during the call. */
  reset(code: number, reason?: string): void;
  /** The peer may send as many bytes more. */
  consumed(bytes: number): void;
}

export interface SendOptions {
  /** Nothing follows. */
  readonly end?: boolean | undefined;
  readonly onSent?: (() => void) | undefined;
}
