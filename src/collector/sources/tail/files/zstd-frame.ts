/**
 * The largest window that is inflated: the header of a frame may declare one of 2 GiB. `zstd -19` uses 8 MiB.
 */
const MAX_WINDOW_BYTES = 32 * 1024 * 1024;
const FRAME = 0xfd2fb528;
const SKIPPABLE = 0x184d2a5;
const SKIPPABLE_HEADER_BYTES = 8;
const MIN_HEADER_BYTES = 5;
const DICTIONARY_BYTES = [0, 1, 2, 4];

/** The header of a frame (RFC 8878, 3.1.1). */
export interface ZstdFrame {
  readonly header: Buffer;
  readonly checksumBytes: number;
}

/** The length of the header at the beginning of these bytes; undefined when more bytes are needed to know it. */
export function zstdHeaderBytes(bytes: Buffer): number | undefined {
  if (bytes.length < MIN_HEADER_BYTES) return undefined;
  const magic = bytes.readUInt32LE(0);
  if (magic >>> 4 === SKIPPABLE) return SKIPPABLE_HEADER_BYTES;
  if (magic !== FRAME) throw new Error('it has bytes that are not Zstandard');
  const { isSingleSegment, dictionaryBytes, sizeBytes } = partsOf(bytes);
  return MIN_HEADER_BYTES + (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
}

/** A frame with content, or the number of bytes to skip. */
export function zstdFrameAt(header: Buffer): ZstdFrame | { readonly skipBytes: number } {
  if (header.readUInt32LE(0) !== FRAME) return { skipBytes: header.readUInt32LE(4) };
  const windowBytes = windowOf(header);
  if (windowBytes > MAX_WINDOW_BYTES)
    throw new Error(`its window must be at most ${MAX_WINDOW_BYTES} bytes, got ${windowBytes}`);
  return { header, checksumBytes: (header.readUInt8(4) & 4) === 0 ? 0 : 4 };
}

function windowOf(header: Buffer): number {
  const { isSingleSegment, sizeBytes } = partsOf(header);
  if (!isSingleSegment) {
    const descriptor = header.readUInt8(MIN_HEADER_BYTES);
    const base = 2 ** (10 + (descriptor >> 3));
    return base + (base / 8) * (descriptor & 7);
  }
  const at = header.length - sizeBytes;
  if (sizeBytes === 8) return Number(header.readBigUInt64LE(at));
  return header.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

function partsOf(header: Buffer): {
  readonly isSingleSegment: boolean;
  readonly dictionaryBytes: number;
  readonly sizeBytes: number;
} {
  const descriptor = header.readUInt8(MIN_HEADER_BYTES - 1);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  const sizeBytes = flag === 0 ? Number(isSingleSegment) : 1 << flag;
  return { isSingleSegment, dictionaryBytes: DICTIONARY_BYTES[descriptor & 3] ?? 0, sizeBytes };
}
