import type { ConnectionStream } from './connection-stream.ts';
import type { ControlFrames } from './control-frames.ts';
import { ERROR_CODE } from './error-codes.ts';
import type { FloodGuard } from './flood-guard.ts';
import { FLAG, type FrameHeader } from './frame.ts';
import { peerFault } from './peer-fault.ts';
import { ReceiveWindow } from './receive-window.ts';
import { DEFAULT_WINDOW_BYTES } from './settings.ts';
import type { StreamTable } from './stream-table.ts';

/** Receives DATA frames, and returns the windows of the peer. */
export class DataReceiver {
  readonly #options: DataReceiverOptions;
  readonly #streams: StreamTable;
  /** The window of the connection. */
  readonly #window: ReceiveWindow;
  /** The stream of the current DATA frame; undefined: its data is discarded. */
  #stream: ConnectionStream | undefined;
  #ends = false;
  /** The bytes of the current DATA frame that were not received, with its padding. */
  #restBytes = 0;
  #isStopped = false;
  /** Data was received since the caller has set this to false. */
  hasReceived = false;

  constructor(options: DataReceiverOptions) {
    this.#options = options;
    this.#streams = options.streams;
    this.#window = new ReceiveWindow(options.connectionWindowBytes, DEFAULT_WINDOW_BYTES);
  }

  /** A DATA frame begins. Throws `Http2Error`. */
  begin({ streamId, flags }: FrameHeader, length: number): void {
    const { guard, resetForFault } = this.#options;
    if (!this.#window.receive(length)) throw peerFault.exceededWindow('the connection');
    const stream = this.#streams.open.get(streamId);
    this.#stream = undefined;
    this.#ends = (flags & FLAG.endStream) !== 0;
    this.#restBytes = length;
    if (length === 0 && !this.#ends) guard.costly('empty DATA frames');
    if (stream === undefined) this.#streams.checkClosed(streamId, 'DATA');
    else if (!stream.hasHeaders || stream.peerHasEnded)
      resetForFault(stream, ERROR_CODE.streamClosed, 'DATA at the wrong place');
    else if (!stream.receiveWindow.receive(length))
      resetForFault(stream, ERROR_CODE.flowControlError, 'more data than its window permits');
    else this.#stream = stream;
    if (this.#stream === undefined) this.#consumedOnConnection(length);
  }

  /** A part of the frame, as `FrameHandler` describes it. */
  receive(view: Buffer, isLast: boolean): void {
    const stream = this.#stream;
    if (stream === undefined || stream.isClosed) return;
    this.#restBytes -= view.length;
    if (view.length > 0) this.hasReceived = true;
    const end = isLast && this.#ends;
    stream.peerHasEnded = end;
    if (view.length > 0 || end) stream.receiver?.data(view, end);
    // The rest is padding.
    if (isLast && this.#restBytes > 0) this.consumed(stream, this.#restBytes);
    if (end) this.#options.closeIfComplete(stream);
  }

  /** The peer may send as many bytes more on the stream and on the connection. */
  consumed(stream: ConnectionStream, bytes: number): void {
    const consumed = stream.receiveWindow.consume(bytes);
    if (!stream.isClosed && !stream.peerHasEnded) this.#grant(stream);
    this.#consumedOnConnection(consumed);
  }

  /** Settings have changed the windows of all streams by these bytes. `target`: what to aim at now. */
  shiftStreams(target: number, bytes: number): void {
    for (const stream of this.#streams.open.values()) {
      stream.receiveWindow.aim(target);
      stream.receiveWindow.shift(bytes);
      // The peer may have no window left, while nothing that it has sent waits to be consumed.
      if (!stream.peerHasEnded) this.#grant(stream);
    }
  }

  resizeConnection(bytes: number): void {
    this.#window.aim(bytes);
    this.#options.control.windowUpdate(0, this.#window.grant(1));
  }

  /** No window is returned any more. */
  stop(): void {
    this.#isStopped = true;
  }

  #grant({ id, receiveWindow }: ConnectionStream): void {
    this.#options.control.windowUpdate(id, receiveWindow.grant());
  }

  #consumedOnConnection(bytes: number): void {
    if (this.#isStopped) return;
    this.#window.consume(bytes);
    this.#options.control.windowUpdate(0, this.#window.grant());
  }
}

export interface DataReceiverOptions {
  readonly connectionWindowBytes: number;
  readonly streams: StreamTable;
  readonly control: ControlFrames;
  readonly guard: FloodGuard;
  readonly resetForFault: (stream: ConnectionStream, code: number, reason: string) => void;
  /** The peer has ended its side of the stream. */
  readonly closeIfComplete: (stream: ConnectionStream) => void;
}
