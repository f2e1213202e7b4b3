/** A frame: its type, the length of itself and the payload, the payload. */
export function encodeFrame(type: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(5 + payload.length);
  frame[0] = type;
  frame.writeUInt32BE(4 + payload.length, 1);
  frame.set(payload, 5);
  return frame;
}
