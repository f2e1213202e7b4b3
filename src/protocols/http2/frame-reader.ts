import { ERROR_CODE } from './error-codes.ts';
import { FLAG, FRAME, FRAME_HEADER_BYTES, type FrameHeader, MIN_FRAME_BYTES } from './frame.ts';
import { Http2Error } from './http2-error.ts';

/** The methods may throw `Http2Error`. */
export interface FrameHandler {
  /** A frame other than DATA. The payload is valid only during the call. */
  frame(header: FrameHeader, payload: Buffer): void;
  /** A frame of an unknown type; its payload is skipped. */
  unknownFrame(): void;
  /** A DATA frame begins. `length`: its payload with all padding, which counts for flow control. */
  dataFrame(header: FrameHeader, length: number): void;
  /**
   * A part of the data of this frame, without padding; valid only during the call. `isLast`: the data of the frame is
   * complete. An empty frame has one empty part.
   */
  data(view: Buffer, isLast: boolean): void;
}

/**
 * Splits the bytes of a connection into frames, however they are cut. It holds at most one frame header, and one frame of 16
 * KiB that is not DATA.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #maxDataBytes: number;
  readonly #head = Buffer.alloc(FRAME_HEADER_BYTES);
  #headBytes = 0;
  #header: FrameHeader | undefined;
  /** Bytes of the current payload that were not read, without the padding of DATA. */
  #rest = 0;
  /** Padding after it. */
  #padding = 0;
  #expectsPadLength = false;
  /** The beginning of a frame that is not complete. */
  #held: Buffer | undefined;
  #heldBytes = 0;
  #isStopped = false;

  constructor(handler: FrameHandler, maxDataBytes: number) {
    this.#handler = handler;
    this.#maxDataBytes = maxDataBytes;
  }

  /** Nothing more is read, even of the current chunk. */
  stop(): void {
    this.#isStopped = true;
    this.#held = undefined;
  }

  /** Throws `Http2Error`. */
  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.#isStopped; ) {
      at =
        this.#header === undefined ? this.#readHead(chunk, at) : this.#readPayload(this.#header, chunk, at);
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + FRAME_HEADER_BYTES - this.#headBytes);
    chunk.copy(this.#head, this.#headBytes, at, end);
    this.#headBytes += end - at;
    if (this.#headBytes === FRAME_HEADER_BYTES) {
      this.#headBytes = 0;
      this.#begin(this.#head);
    }
    return end;
  }

  #begin(head: Buffer): void {
    const type = head[3] ?? 0;
    const header = { type, flags: head[4] ?? 0, streamId: head.readUInt32BE(5) & 0x7fffffff };
    const length = head.readUIntBE(0, 3);
    this.#rest = length;
    this.#padding = 0;
    this.#header = header;
    if (length > (isHeld(type) ? MIN_FRAME_BYTES : this.#maxDataBytes)) throw tooLong(type, length);
    if (type === FRAME.data) this.#beginData(header, length);
    else if (!isHeld(type)) this.#handler.unknownFrame();
    if (this.#rest === 0 && !this.#expectsPadLength) this.#endEmpty(header);
  }

  #beginData(header: FrameHeader, length: number): void {
    this.#expectsPadLength = (header.flags & FLAG.padded) !== 0;
    if (this.#expectsPadLength && length === 0) throw badPadding();
    this.#handler.dataFrame(header, length);
  }

  #endEmpty(header: FrameHeader): void {
    this.#header = this.#padding > 0 ? header : undefined;
    if (header.type === FRAME.data) this.#handler.data(EMPTY, true);
    else if (isHeld(header.type)) this.#handler.frame(header, EMPTY);
  }

  #readPayload(header: FrameHeader, chunk: Buffer, at: number): number {
    if (header.type !== FRAME.data) return this.#readFrame(header, chunk, at);
    if (this.#expectsPadLength) return this.#readPadLength(header, chunk, at);
    return this.#rest > 0 ? this.#readData(chunk, at) : this.#skipPadding(chunk, at);
  }

  #readPadLength(header: FrameHeader, chunk: Buffer, at: number): number {
    this.#expectsPadLength = false;
    this.#padding = chunk[at] ?? 0;
    this.#rest -= 1 + this.#padding;
    if (this.#rest < 0) throw badPadding();
    if (this.#rest === 0) this.#endEmpty(header);
    return at + 1;
  }

  #readData(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#rest);
    this.#rest -= end - at;
    const isLast = this.#rest === 0;
    if (isLast && this.#padding === 0) this.#header = undefined;
    this.#handler.data(chunk.subarray(at, end), isLast);
    return end;
  }

  #skipPadding(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#padding);
    this.#padding -= end - at;
    if (this.#padding === 0) this.#header = undefined;
    return end;
  }

  #readFrame(header: FrameHeader, chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#rest);
    const part = chunk.subarray(at, end);
    const isWhole = this.#held === undefined && part.length === this.#rest;
    if (isHeld(header.type) && !isWhole) this.#hold(part);
    this.#rest -= part.length;
    if (this.#rest > 0) return end;
    const payload = isWhole ? part : (this.#held ?? EMPTY);
    this.#held = undefined;
    this.#heldBytes = 0;
    this.#header = undefined;
    if (isHeld(header.type)) this.#handler.frame(header, payload);
    return end;
  }

  #hold(part: Buffer): void {
    this.#held ??= Buffer.allocUnsafe(this.#rest);
    part.copy(this.#held, this.#heldBytes);
    this.#heldBytes += part.length;
  }
}

const EMPTY = Buffer.alloc(0);

/** Frames that are passed on as a whole. */
function isHeld(type: number): boolean {
  return type > FRAME.data && type <= FRAME.continuation;
}

function tooLong(type: number, length: number): Http2Error {
  const message = `a frame of type ${type} has ${length} bytes, which exceeds the limit`;
  return new Http2Error(ERROR_CODE.frameSizeError, message);
}

function badPadding(): Http2Error {
  return new Http2Error(ERROR_CODE.protocolError, 'the padding of a frame is longer than the frame');
}
