import type { ConnectionStream } from './connection-stream.ts';
import { encodeFrame, FLAG, FRAME, FRAME_HEADER_BYTES, MIN_FRAME_BYTES, writeFrameHeader } from './frame.ts';
import type { HeaderList } from './header-list.ts';
import { HpackEncoder } from './hpack-encoder.ts';
import type { Http2Output } from './http2-output.ts';
import { type DataItem, takeBytes } from './send-queue.ts';
import { DEFAULT_WINDOW_BYTES } from './settings.ts';

/** While the output has as many bytes, no more data is passed to it: other frames would wait after them. */
const HIGH_WATER_BYTES = 1024 * 1024;
const LARGEST_FRAME_BYTES = 2 * 1024 * 1024;
/** The largest frame while other streams have data too. */
const SHARED_FRAME_BYTES = 64 * 1024;

/**
 * Writes frames: control frames first, then the data of the streams in turns, as far as windows permit. All frames of one turn
 * of the event loop leave in one write.
 */
export class FrameSender {
  readonly #options: FrameSenderOptions;
  readonly #encoder = new HpackEncoder();
  /** Streams with something to send, the next one first. */
  readonly #ready = new Set<ConnectionStream>();
  #control: Buffer[] = [];
  #unwrittenBytes = 0;
  #unwrittenControlBytes = 0;
  #isScheduled = false;
  #isStopped = false;
  maxFrameBytes = MIN_FRAME_BYTES;
  window = DEFAULT_WINDOW_BYTES;
  /** DATA that was passed to the output, from the beginning. */
  sentDataBytes = 0;
  sentDataFrames = 0;

  constructor(options: FrameSenderOptions) {
    this.#options = options;
  }

  /** Bytes of frames other than DATA that the output has not written. */
  get unwrittenControlBytes(): number {
    return this.#unwrittenControlBytes;
  }

  control(frame: Buffer): void {
    if (this.#isStopped) return;
    this.#control.push(frame);
    this.#unwrittenControlBytes += frame.length;
    this.#schedule();
  }

  ready(stream: ConnectionStream): void {
    this.#ready.add(stream);
    this.#schedule();
  }

  /** Discards what the stream has not sent. */
  forget(stream: ConnectionStream): void {
    this.#ready.delete(stream);
    stream.queue.clear();
  }

  /** The windows or the output may have room again. */
  resume(): void {
    if (this.#ready.size > 0) this.#schedule();
  }

  /** Writes everything that may be written now. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#isStopped) return;
    const batch: Batch = { parts: this.#control, dataBytes: 0, sent: [], callbacks: [] };
    const controlBytes = this.#control.reduce((sum, { length }) => sum + length, 0);
    this.#control = [];
    for (const stream of this.#ready) {
      if (this.#unwrittenBytes + batch.dataBytes >= HIGH_WATER_BYTES) break;
      this.#ready.delete(stream);
      if (this.#writeNext(stream, batch)) this.#ready.add(stream);
    }
    if (batch.parts.length === 0) return;
    const bytes = controlBytes + batch.dataBytes;
    this.#unwrittenBytes += bytes;
    this.#options.output.write(batch.parts, () => this.#written(batch, bytes, controlBytes));
  }

  /** Nothing more is written. */
  stop(): void {
    this.#isStopped = true;
    this.#ready.clear();
    this.#control = [];
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.flush());
  }

  #written(batch: Batch, bytes: number, controlBytes: number): void {
    this.#unwrittenBytes -= bytes;
    this.#unwrittenControlBytes -= controlBytes;
    for (const { stream, bytes: sent } of batch.sent) stream.queuedBytes -= sent;
    for (const callback of batch.callbacks) callback();
    this.resume();
  }

  /** Adds the next frame of the stream. False: it has nothing to send, or its window is closed. */
  #writeNext(stream: ConnectionStream, batch: Batch): boolean {
    const item = stream.queue.first;
    if (item === undefined) return false;
    if (item.kind === 'data') return this.#writeData(stream, item, batch);
    stream.queue.removeFirst();
    for (const frame of this.#headerFrames(stream.id, item.list, item.end)) {
      batch.parts.push(frame);
      batch.dataBytes += frame.length;
    }
    if (item.end) this.#ended(stream);
    return stream.queue.first !== undefined;
  }

  #writeData(stream: ConnectionStream, item: DataItem, batch: Batch): boolean {
    const length = this.#lengthFor(stream, item.left);
    // The update of a window makes it ready again.
    if (length <= 0 && item.left > 0) return false;
    this.window -= length;
    stream.sendWindow -= length;
    const isLast = length === item.left;
    if (length > 0 || item.end) {
      this.#dataFrame(stream, item, { length, end: isLast && item.end }, batch);
      batch.dataBytes += FRAME_HEADER_BYTES + length;
      this.sentDataBytes += length;
      this.sentDataFrames++;
    }
    if (!isLast) return true;
    stream.queue.removeFirst();
    if (item.onSent !== undefined) batch.callbacks.push(item.onSent);
    if (item.end) this.#ended(stream);
    return stream.queue.first !== undefined;
  }

  #lengthFor(stream: ConnectionStream, left: number): number {
    const largest = this.#ready.size > 0 ? SHARED_FRAME_BYTES : LARGEST_FRAME_BYTES;
    return Math.min(left, stream.sendWindow, this.window, this.maxFrameBytes, largest);
  }

  #dataFrame(
    stream: ConnectionStream,
    item: DataItem,
    { length, end }: { readonly length: number; readonly end: boolean },
    { parts, sent }: Batch,
  ): void {
    const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
    const flags = end ? FLAG.endStream : 0;
    writeFrameHeader(head, 0, { type: FRAME.data, flags, streamId: stream.id }, length);
    parts.push(head);
    takeBytes(item, length, parts);
    sent.push({ stream, bytes: length });
  }

  #headerFrames(streamId: number, list: HeaderList, end: boolean): readonly Buffer[] {
    const block = this.#encoder.encode(list);
    const frames: Buffer[] = [];
    for (let at = 0; at === 0 || at < block.length; at += MIN_FRAME_BYTES) {
      const type = at === 0 ? FRAME.headers : FRAME.continuation;
      const isLast = at + MIN_FRAME_BYTES >= block.length;
      const flags = (at === 0 && end ? FLAG.endStream : 0) | (isLast ? FLAG.endHeaders : 0);
      frames.push(encodeFrame({ type, flags, streamId }, block.subarray(at, at + MIN_FRAME_BYTES)));
    }
    return frames;
  }

  #ended(stream: ConnectionStream): void {
    stream.hasEnded = true;
    this.#options.onEnded(stream);
  }
}

interface Batch {
  readonly parts: Uint8Array[];
  dataBytes: number;
  readonly sent: { readonly stream: ConnectionStream; readonly bytes: number }[];
  readonly callbacks: (() => void)[];
}

export interface FrameSenderOptions {
  readonly output: Http2Output;
  /** END_STREAM of the stream is in the batch that is written next. Must not write at once. */
  readonly onEnded: (stream: ConnectionStream) => void;
}
