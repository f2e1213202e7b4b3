import { ERROR_CODE } from './error-codes.ts';
import type { HeaderList } from './header-list.ts';
import type { Http2Stream, SendOptions } from './http2-stream.ts';
import type { ReceiveWindow } from './receive-window.ts';
import { SendQueue } from './send-queue.ts';
import type { StreamEnd, StreamReceiver } from './stream-receiver.ts';

/** The parts of a connection that its streams use. */
export interface StreamHost {
  /** The stream has something to send. */
  ready(stream: ConnectionStream): void;
  reset(stream: ConnectionStream, code: number, reason: string): void;
  consumed(stream: ConnectionStream, bytes: number): void;
}

/**
 * A stream and its state (RFC 9113, section 5.1). `idle` streams do not exist, and closed ones leave the connection.
 *
 *     open --sent END_STREAM--> hasEnded --received END_STREAM--> closed
 *       `--received END_STREAM--> peerHasEnded --sent END_STREAM--> closed
 */
export class ConnectionStream implements Http2Stream {
  readonly id: number;
  readonly receiveWindow: ReceiveWindow;
  readonly queue = new SendQueue();
  readonly #host: StreamHost;
  receiver: StreamReceiver | undefined;
  sendWindow: number;
  queuedBytes = 0;
  /** The peer has sent its headers, other than informational ones. */
  hasHeaders = false;
  /** END_STREAM is sent. */
  hasEnded = false;
  /** END_STREAM is received. */
  peerHasEnded = false;
  /** undefined: it is not over. */
  end: StreamEnd | undefined;
  /** The caller has sent its last part. */
  #isFinished = false;

  constructor(options: {
    readonly id: number;
    readonly host: StreamHost;
    readonly sendWindow: number;
    readonly receiveWindow: ReceiveWindow;
  }) {
    this.id = options.id;
    this.#host = options.host;
    this.sendWindow = options.sendWindow;
    this.receiveWindow = options.receiveWindow;
  }

  get isClosed(): boolean {
    return this.end !== undefined;
  }

  get unconsumedBytes(): number {
    return this.receiveWindow.unconsumedBytes;
  }

  sendHeaders(headers: HeaderList, { end = false }: { readonly end?: boolean | undefined } = {}): void {
    if (!this.#maySend(end)) return;
    this.queue.addHeaders(headers, end);
    this.#host.ready(this);
  }

  sendData(parts: readonly Uint8Array[], { end = false, onSent }: SendOptions = {}): void {
    if (!this.#maySend(end)) return;
    this.queuedBytes += this.queue.addData(parts, end, onSent);
    this.#host.ready(this);
  }

  reset(code: number = ERROR_CODE.cancel, reason = 'cancelled'): void {
    if (!this.isClosed) this.#host.reset(this, code, reason);
  }

  consumed(bytes: number): void {
    if (bytes > 0) this.#host.consumed(this, bytes);
  }

  #maySend(end: boolean): boolean {
    if (this.isClosed || this.#isFinished) return false;
    this.#isFinished = end;
    return true;
  }
}
