import { type FileHandle, open } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import { isFileError } from './file-error.ts';
import { FilePrefix } from './file-prefix.ts';
import { readBytes } from './read-bytes.ts';

/** The part of a compressed file that is enough to compare the beginning of its content. */
const COMPRESSED_HEAD_BYTES = 16 * 1024;
/** The CRC-32 and the size of the content, at the end of the file (RFC 1952). */
const TRAILER_BYTES = 8;

/** Undefined when the file does not exist, cannot be read, or is no gzip file. */
export async function readGzipContent(path: string): Promise<GzipContent | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const { size } = await handle.stat();
    const bytes = await readBytes(handle, 0, Math.min(size, COMPRESSED_HEAD_BYTES));
    const beginning = new FilePrefix(gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }));
    const trailer = await readBytes(handle, Math.max(0, size - TRAILER_BYTES), size);
    return { beginning, crc32: trailer.readUInt32LE(0), sizeBytes: trailer.readUInt32LE(4) };
  } catch (error) {
    if (isFileError(error) || isGzipError(error)) return undefined;
    throw error;
  } finally {
    await handle?.close();
  }
}

/** The facts about the content of a gzip file that are known without decompressing all of it. */
export interface GzipContent {
  readonly beginning: FilePrefix;
  /** Modulo 2^32. */
  readonly sizeBytes: number;
  readonly crc32: number;
}

function isGzipError(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return code.startsWith('Z_') || code === 'ERR_OUT_OF_RANGE' || code === 'ERR_BUFFER_OUT_OF_BOUNDS';
}
