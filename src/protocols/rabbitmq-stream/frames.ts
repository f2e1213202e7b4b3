/**
 * The frames of the RabbitMQ stream protocol that a publisher needs.
 *
 *     size (4) | key (2) | version (2) | correlation id (4, requests and answers) | content
 *
 * The key of an answer is the key of its request with the highest bit. A text has its length in two bytes, a list its
 * count in four.
 */
export const STREAM_KEYS = {
  declarePublisher: 0x0001,
  publish: 0x0002,
  publishConfirm: 0x0003,
  publishError: 0x0004,
  queryPublisherSequence: 0x0005,
  deletePublisher: 0x0006,
  create: 0x000d,
  metadataUpdate: 0x0010,
  peerProperties: 0x0011,
  saslHandshake: 0x0012,
  saslAuthenticate: 0x0013,
  tune: 0x0014,
  open: 0x0015,
  close: 0x0016,
  heartbeat: 0x0017,
} as const;

export const STREAM_ANSWER = 0x8000;

const VERSION = 1;
const HEADER_BYTES = 8;

/** A frame without its size. `content` begins after the version. */
export interface StreamFrame {
  readonly key: number;
  readonly content: Buffer;
}

/** A frame without a correlation id. */
export function streamFrame(key: number, ...parts: readonly Uint8Array[]): Buffer {
  const bytes = parts.reduce((sum, part) => sum + part.length, HEADER_BYTES);
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(bytes - 4, 0);
  header.writeUInt16BE(key, 4);
  header.writeUInt16BE(VERSION, 6);
  return Buffer.concat([header, ...parts], bytes);
}

export function uint8(value: number): Buffer {
  return Buffer.of(value);
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeUInt16BE(value, 0);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

export function sizedBytes(value: Uint8Array): Buffer {
  return Buffer.concat([uint32(value.length), value]);
}

export function textMap(entries: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(entries);
  return Buffer.concat([uint32(pairs.length), ...pairs.flatMap(([key, value]) => [text(key), text(value)])]);
}
