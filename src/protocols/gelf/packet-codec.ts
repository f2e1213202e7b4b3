import { randomBytes } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import { CHUNK_HEADER_BYTES, CHUNK_ID_BYTES, chunkCapacity, splitIntoChunks } from './split-into-chunks.ts';

/** Presentation for datagrams: compression, then chunks. One packet is one datagram. */
export class PacketCodec {
  readonly capacityBytes: number;
  readonly #compression: GelfCompression;
  readonly #level: number;
  readonly #datagramBytes: number;
  readonly #mintId: () => Uint8Array;

  constructor(options: PacketCodecOptions = {}) {
    this.#compression = options.compression ?? 'gzip';
    this.#level = options.compressionLevel ?? 1;
    this.#datagramBytes = options.datagramBytes ?? DEFAULT_DATAGRAM_BYTES;
    this.#mintId = options.mintId ?? (() => randomBytes(CHUNK_ID_BYTES));
    const size = this.#datagramBytes;
    if (!Number.isInteger(size) || size <= CHUNK_HEADER_BYTES || size > MAX_DATAGRAM_BYTES) {
      throw new RangeError(
        `the size of a datagram must be ${CHUNK_HEADER_BYTES + 1} to ${MAX_DATAGRAM_BYTES} bytes, got ${size}`,
      );
    }
    this.capacityBytes = chunkCapacity(size);
  }

  encode(json: Uint8Array): EncodedPackets {
    const payload = this.#compress(json);
    const payloadBytes = payload.length;
    if (payloadBytes <= this.#datagramBytes) return { packets: [payload], payloadBytes };
    if (payloadBytes > this.capacityBytes) return { packets: undefined, payloadBytes };
    return { packets: splitIntoChunks(payload, this.#datagramBytes, this.#mintId()), payloadBytes };
  }

  #compress(json: Uint8Array): Uint8Array {
    if (this.#compression === 'none' || json.length <= COMPRESS_FROM_BYTES) return json;
    const compress = this.#compression === 'gzip' ? gzipSync : deflateSync;
    const compressed = compress(json, { level: this.#level });
    return compressed.length < json.length ? compressed : json;
  }
}

export type GelfCompression = 'gzip' | 'zlib' | 'none';

export interface PacketCodecOptions {
  /**
   * Default `gzip`, the protocol's default. A short message, or one that would not get smaller, is not
   * compressed.
   */
  readonly compression?: GelfCompression | undefined;
  /** The level of zlib, 1 (default, fastest) to 9. */
  readonly compressionLevel?: number | undefined;
  /**
   * Maximum size of a datagram, header included, 13 to 65507. Default 1420: passes most networks without
   * fragmentation.
   */
  readonly datagramBytes?: number | undefined;
  /** 8 random bytes; tests can set them. */
  readonly mintId?: (() => Uint8Array) | undefined;
}

/** Undefined packets: the compressed payload exceeds 128 chunks. */
export interface EncodedPackets {
  readonly packets: readonly Uint8Array[] | undefined;
  readonly payloadBytes: number;
}

export const DEFAULT_DATAGRAM_BYTES = 1420;
export const MAX_DATAGRAM_BYTES = 65_507;
const COMPRESS_FROM_BYTES = 256;
