import { ERROR_CODE } from '../http2/error-codes.ts';
import { type HeaderList, headerOf } from '../http2/header-list.ts';
import type { Http2Stream } from '../http2/http2-stream.ts';
import type { StreamEnd, StreamReceiver } from '../http2/stream-receiver.ts';
import { GRPC_STATUS, type GrpcStatus } from './grpc-status.ts';
import { MessageAssembler, messagePrefix } from './message-assembler.ts';
import { statusOfEnd, statusOfResponse, statusOfTrailers } from './status-of-failure.ts';

/** Receives the answers of one call. Its methods must not throw. */
export interface GrpcCallReceiver {
  message(bytes: Buffer): void;
  /** The call has ended; called once, last. */
  closed(status: GrpcStatus): void;
}

/**
 * The client's side of one call. It may be used before its stream is opened: messages wait for it, in the memory of the
 * caller.
 */
export class GrpcCall implements StreamReceiver {
  readonly #receiver: GrpcCallReceiver;
  readonly #messages: MessageAssembler;
  /** Messages before the stream. */
  #waiting: ((stream: Http2Stream) => void)[] = [];
  #stream: Http2Stream | undefined;
  #status: GrpcStatus | undefined;
  #hasHeaders = false;
  #isClosed = false;

  constructor(receiver: GrpcCallReceiver, maxMessageBytes: number) {
    this.#receiver = receiver;
    this.#messages = new MessageAssembler({
      maxMessageBytes,
      onMessage: (bytes) => {
        if (!this.#isClosed) receiver.message(bytes);
      },
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Sends a message, which consists of the parts. They are not copied, and must not change until `onSent`; it is not called
   * if the message is not written.
   */
  send(parts: readonly Uint8Array[], onSent?: () => void): void {
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    this.#whenOpen((stream) => stream.sendData([messagePrefix(bytes), ...parts], { onSent }));
  }

  /** Sends no more messages. */
  end(): void {
    this.#whenOpen((stream) => stream.sendData([], { end: true }));
  }

  /** Ends the call at once. */
  cancel(status: GrpcStatus = CANCELLED): void {
    this.#close(status);
  }

  /** The stream is open. */
  opened(stream: Http2Stream): void {
    this.#stream = stream;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const send of waiting) send(stream);
  }

  headers(list: HeaderList, end: boolean): void {
    const isFirst = !this.#hasHeaders;
    this.#hasHeaders = true;
    if (headerOf(list, 'grpc-status') !== undefined || (end && !isFirst)) {
      this.#close(statusOfTrailers(list));
      return;
    }
    const failure = isFirst ? statusOfResponse(list) : undefined;
    if (failure !== undefined) this.#close(failure);
    else if (end) queueMicrotask(() => this.#close(statusOfTrailers(list)));
  }

  data(view: Buffer, end: boolean): void {
    const fault = this.#messages.receive(view);
    this.#stream?.consumed(view.length);
    if (fault !== undefined) this.#close(fault);
    // Servers of Node send an empty frame before RST_STREAM, which has the reason.
    else if (end) queueMicrotask(() => this.#close(statusOfTrailers([])));
  }

  closed(end: StreamEnd): void {
    this.#close(this.#status ?? statusOfEnd(end));
  }

  #whenOpen(send: (stream: Http2Stream) => void): void {
    if (this.#isClosed) return;
    if (this.#stream === undefined) this.#waiting.push(send);
    else send(this.#stream);
  }

  #close(status: GrpcStatus): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#status = status;
    this.#waiting = [];
    this.#stream?.reset(status.code === GRPC_STATUS.ok ? ERROR_CODE.noError : ERROR_CODE.cancel);
    this.#receiver.closed(status);
  }
}

const CANCELLED: GrpcStatus = { code: GRPC_STATUS.cancelled, message: 'cancelled by this side' };
