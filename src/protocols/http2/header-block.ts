import { ERROR_CODE } from './error-codes.ts';
import { FLAG, type FrameHeader } from './frame.ts';
import { Http2Error } from './http2-error.ts';

/** Frames of one block. An encoder cuts a block only where a frame is full. */
const MAX_FRAMES = 8;

/** The block of a HEADERS frame and its CONTINUATION frames. */
export class HeaderBlock {
  readonly streamId: number;
  readonly end: boolean;
  readonly #maxBytes: number;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor({ streamId, flags }: FrameHeader, maxBytes: number) {
    this.streamId = streamId;
    this.end = (flags & FLAG.endStream) !== 0;
    this.#maxBytes = maxBytes;
  }

  /** Copies the part. Throws `Http2Error` when a limit is reached. */
  add(part: Buffer): void {
    this.#bytes += part.length;
    this.#parts.push(Buffer.from(part));
    if (this.#bytes > this.#maxBytes || this.#parts.length > MAX_FRAMES) {
      const limit = `the headers of a call exceed ${Math.round(this.#maxBytes / 1024)} KiB`;
      throw new Http2Error(ERROR_CODE.enhanceYourCalm, limit);
    }
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** The block in a HEADERS frame, without padding and priority. Throws `Http2Error`. */
export function headerFragment({ flags }: FrameHeader, payload: Buffer): Buffer {
  const isPadded = (flags & FLAG.padded) !== 0;
  const start = (isPadded ? 1 : 0) + ((flags & FLAG.priority) !== 0 ? PRIORITY_BYTES : 0);
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (start > end)
    throw new Http2Error(ERROR_CODE.protocolError, 'the padding of a frame is longer than the frame');
  return payload.subarray(start, end);
}

const PRIORITY_BYTES = 5;
