import { randomBytes } from 'node:crypto';

/**
 * Identifies a stream: an ordered, append-only byte sequence of one origin (one generation of one file, or a
 * journal). Created once, never reused. 32 lower-case hexadecimal digits in memory, 16 bytes on the wire.
 */
export type StreamId = string & { readonly __brand: 'StreamId' };

export const STREAM_ID_BYTES = 16;

export function mintStreamId(): StreamId {
  return randomBytes(STREAM_ID_BYTES).toString('hex') as StreamId;
}

/** The id in these bytes; undefined when there are not exactly 16. */
export function streamIdFromBytes(bytes: Uint8Array): StreamId | undefined {
  if (bytes.length !== STREAM_ID_BYTES) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex') as StreamId;
}

export function streamIdToBytes(id: StreamId): Buffer {
  return Buffer.from(id, 'hex');
}

export function parseStreamId(text: string): StreamId | undefined {
  return /^[0-9a-f]{32}$/.test(text) ? (text as StreamId) : undefined;
}
