import type { ConnectionStream } from './connection-stream.ts';
import { ERROR_CODE } from './error-codes.ts';
import type { FloodGuard } from './flood-guard.ts';
import type { FrameHeader } from './frame.ts';
import type { FrameSender } from './frame-sender.ts';
import { peerFault } from './peer-fault.ts';
import { DEFAULT_WINDOW_BYTES, MAX_WINDOW_BYTES } from './settings.ts';
import type { StreamTable } from './stream-table.ts';

/** What the peer permits this side to send. The methods throw `Http2Error`. */
export class SendWindows {
  readonly #options: SendWindowsOptions;
  #streamBytes = DEFAULT_WINDOW_BYTES;
  /** The bytes of data that were sent before the last update. */
  #updatedAtBytes = 0;
  /** The peer has taken data since the caller has set this to false. */
  hasMoved = false;

  constructor(options: SendWindowsOptions) {
    this.#options = options;
  }

  /** The window of a new stream. */
  get streamBytes(): number {
    return this.#streamBytes;
  }

  /** The peer has changed the windows of all streams. */
  resizeStreams(bytes: number): void {
    const { streams, sender } = this.#options;
    const change = bytes - this.#streamBytes;
    this.#streamBytes = bytes;
    for (const stream of streams.open.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > MAX_WINDOW_BYTES) throw peerFault.exceededWindow(`the stream ${stream.id}`);
      if (change > 0) sender.ready(stream);
    }
  }

  /** A WINDOW_UPDATE. */
  update({ streamId }: FrameHeader, payload: Buffer): void {
    if (payload.length !== 4) throw peerFault.wrongSize('WINDOW_UPDATE');
    this.#count();
    const increment = payload.readUInt32BE(0) & 0x7fffffff;
    if (streamId === 0) this.#growConnection(increment);
    else this.#growStream(streamId, increment);
  }

  /** A peer may update two windows for each frame of data, and while it reads a large one. */
  #count(): void {
    const { sender, guard } = this.#options;
    const { sentDataBytes, sentDataFrames } = sender;
    guard.windowUpdate(sentDataFrames * UPDATES_PER_FRAME + sentDataBytes / BYTES_PER_UPDATE);
    if (sentDataBytes > this.#updatedAtBytes) this.hasMoved = true;
    this.#updatedAtBytes = sentDataBytes;
  }

  #growConnection(increment: number): void {
    const { sender, streams } = this.#options;
    if (increment === 0) throw peerFault.sent('a WINDOW_UPDATE of 0');
    sender.window += increment;
    if (sender.window > MAX_WINDOW_BYTES) throw peerFault.exceededWindow('the connection');
    for (const stream of streams.open.values()) if (stream.queue.first !== undefined) sender.ready(stream);
  }

  #growStream(streamId: number, increment: number): void {
    const { sender, streams, guard, resetForFault } = this.#options;
    const stream = streams.open.get(streamId);
    if (stream === undefined) {
      streams.checkNotIdle(streamId, 'WINDOW_UPDATE');
      guard.cheap('frames of closed streams');
      return;
    }
    stream.sendWindow += increment;
    if (increment === 0) resetForFault(stream, ERROR_CODE.protocolError, 'a WINDOW_UPDATE of 0');
    else if (stream.sendWindow > MAX_WINDOW_BYTES)
      resetForFault(stream, ERROR_CODE.flowControlError, 'a window that is too large');
    else sender.ready(stream);
  }
}

const UPDATES_PER_FRAME = 4;
const BYTES_PER_UPDATE = 512;

export interface SendWindowsOptions {
  readonly streams: StreamTable;
  readonly sender: FrameSender;
  readonly guard: FloodGuard;
  readonly resetForFault: (stream: ConnectionStream, code: number, reason: string) => void;
}
