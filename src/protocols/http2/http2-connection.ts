import type { HeaderList } from './header-list.ts';
import type { Http2ConnectionOptions } from './http2-options.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { StreamReceiver } from './stream-receiver.ts';

/**
 * One HTTP/2 connection (RFC 9113), as client or server, without a socket: bytes come in by `receive`, and leave by
 * `output`. `src/transport/http2` connects it with sockets.
 *
 *     socket -> receive(view) -> FrameReader -> HEADERS -> HpackDecoder -> receiver.headers
 *                                           -> DATA views, not copied  -> receiver.data   (consumed -> WINDOW_UPDATE)
 *     sendData(parts) -> queue of the stream -> windows -> frames -> output.write(parts)  (written -> onSent)
 *
 * LIMITS. Everything that a peer can make this side hold is limited:
 *
 *   - DATA is never held here. A receiver that holds it does not call `consumed`, so the windows are the limit.
 *   - Other frames have at most 16 KiB. The headers of one message have at most `headerListBytes`.
 *   - The dynamic table of HPACK has at most 4 KiB.
 *   - Streams: `concurrentStreams`; more are refused.
 *   - Answers that the peer does not read (SETTINGS, PING, RST_STREAM, headers): 64 KiB, then the connection ends.
 *   - Frames without use (resets, empty DATA, SETTINGS, PING, unknown frames): a number per second, then it ends.
 *
 * ERRORS. An error of the peer in one stream ends the stream with RST_STREAM; an error in the connection ends all with
 * GOAWAY and its code. `receive` never throws.
 */
export class Http2Connection {
  constructor(options: Http2ConnectionOptions) {
    void options;
  }

  /** Number of streams that are not over. */
  get openStreams(): number {
    throw new Error('not written yet');
  }

  /** No new streams: a GOAWAY was sent or received, or the connection has ended. */
  get isDraining(): boolean {
    throw new Error('not written yet');
  }

  /** Bytes of the peer. The memory is not used after the call. */
  receive(chunk: Uint8Array): void {
    void chunk;
  }

  /** The transport has ended: the peer closed it, or it failed for this reason. */
  disconnected(reason: string): void {
    void reason;
  }

  /**
   * Only for a client: opens a stream and sends its headers. undefined: the connection is draining, or the peer permits
   * no more streams now.
   */
  open(
    headers: HeaderList,
    receiver: StreamReceiver,
    options?: { readonly end?: boolean | undefined },
  ): Http2Stream | undefined {
    void headers;
    void receiver;
    void options;
    return undefined;
  }

  /** Changes the windows of `Http2ConnectionOptions`, also for open streams. */
  setWindows(streamBytes: number, connectionBytes: number): void {
    void streamBytes;
    void connectionBytes;
  }

  /** Accepts no new streams (GOAWAY). The connection closes when all streams are over. */
  goAway(): void {}

  /** Ends the connection at once; `code`: sent in a GOAWAY. */
  destroy(reason: string, code?: number): void {
    void reason;
    void code;
  }
}
