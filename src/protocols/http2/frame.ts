/** RFC 9113, section 6. */
export const FRAME = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const FRAME_HEADER_BYTES = 9;
/** The limit before settings, and the lowest that a peer may set. */
export const MIN_FRAME_BYTES = 16_384;
export const MAX_FRAME_BYTES = 2 ** 24 - 1;
/** A client sends it first. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface FrameHeader {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
}

export function writeFrameHeader(to: Buffer, at: number, frame: FrameHeader, length: number): void {
  to.writeUIntBE(length, at, 3);
  to[at + 3] = frame.type;
  to[at + 4] = frame.flags;
  to.writeUInt32BE(frame.streamId, at + 5);
}

export function encodeFrame(frame: FrameHeader, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  writeFrameHeader(bytes, 0, frame, payload.length);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** A frame whose payload is one number of four bytes: RST_STREAM, WINDOW_UPDATE. */
export function encodeNumberFrame(type: number, streamId: number, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + 4);
  writeFrameHeader(bytes, 0, { type, flags: 0, streamId }, 4);
  bytes.writeUInt32BE(value, FRAME_HEADER_BYTES);
  return bytes;
}
