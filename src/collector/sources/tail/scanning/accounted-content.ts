import { type FileHandle, open } from 'node:fs/promises';
import type { Position } from '../../../../records/position.ts';
import type { FileAccess } from '../files/file-access.ts';
import type { FileCheckpoint } from '../files/file-checkpoint.ts';
import { checksumOf, haveSameBytes } from '../files/file-contents.ts';
import { isFileError } from '../files/file-error.ts';
import { type FilePrefix, readFilePrefix } from '../files/file-prefix.ts';
import { type GzipContent, readGzipContent } from '../files/gzip-file.ts';
import { isCompressed } from '../files/path-patterns.ts';
import { MIN_EVIDENCE_BYTES } from '../identity/same-file.ts';

/** A stream whose bytes are read, will be read, or are counted as lost. */
export interface AccountedStream {
  readonly checkpoint: FileCheckpoint;
  /** The file, while the stream still reads it: all its bytes will be read. */
  readonly file?: FileAccess | undefined;
}

/** The number of bytes of a file for which no stream accounts; undefined when it cannot be known. */
export interface UnaccountedContent {
  readonly isAccountedFor: boolean;
  readonly sizeBytes: number | undefined;
}

/**
 * Compares the content of a rotated file with the streams. A gzip file has the CRC-32 and the size of its
 * content at its end. The content of other compressed files is not known.
 */
export async function unaccountedContent(
  path: string,
  known: readonly AccountedStream[],
): Promise<UnaccountedContent> {
  if (!isCompressed(path)) return unaccountedPlain(path, known);
  const content = await readGzipContent(path);
  if (content === undefined) return { isAccountedFor: false, sizeBytes: undefined };
  let accounted = 0;
  for (const stream of known) accounted = Math.max(accounted, await accountedGzip(content, stream));
  return { isAccountedFor: accounted >= content.sizeBytes, sizeBytes: content.sizeBytes - accounted };
}

async function accountedGzip(content: GzipContent, { checkpoint, file }: AccountedStream): Promise<number> {
  const { beginning, sizeBytes, crc32 } = content;
  const [position, , known32] = checkpoint.marks.at(-1) ?? [0, ''];
  if (!beginning.matches(checkpoint.prefix)) return 0;
  // Without a checksum from the beginning of the file, its size and its beginning are the evidence.
  const isRead = position === sizeBytes && (checkpoint.checksumFrom !== 0 || known32 === crc32);
  if (isRead || (await hasChecksum(file, sizeBytes, crc32))) return sizeBytes;
  if (file !== undefined || checkpoint.prefix.length < MIN_EVIDENCE_BYTES || position > sizeBytes) return 0;
  // The file was lost with unread bytes, and those were counted.
  return checkpoint.finished === true ? Math.min(sizeBytes, endOf(checkpoint)) : 0;
}

async function hasChecksum(file: FileAccess | undefined, sizeBytes: number, crc32: number): Promise<boolean> {
  const found = await file?.use(async (handle) => {
    if ((await handle.stat()).size < sizeBytes) return undefined;
    return checksumOf(handle, { start: 0, end: sizeBytes });
  });
  return found === crc32;
}

/** A copy may have more bytes than its original had when it was read. */
async function unaccountedPlain(
  path: string,
  known: readonly AccountedStream[],
): Promise<UnaccountedContent> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const { size } = await handle.stat();
    const beginning = await readFilePrefix(handle);
    let accounted = 0;
    for (const stream of known) {
      if (accounted >= size) break;
      accounted = Math.max(accounted, await accountedPlain({ handle, size, beginning }, stream));
    }
    return { isAccountedFor: accounted >= size, sizeBytes: size - accounted };
  } catch (error) {
    if (!isFileError(error)) throw error;
    return { isAccountedFor: false, sizeBytes: undefined };
  } finally {
    await handle?.close();
  }
}

interface PlainFile {
  readonly handle: FileHandle;
  readonly size: number;
  readonly beginning: FilePrefix;
}

/** The number of bytes at the beginning of the file for which the stream accounts. */
async function accountedPlain(
  { handle, size, beginning }: PlainFile,
  { checkpoint, file }: AccountedStream,
): Promise<number> {
  if (checkpoint.prefix.length === 0 || !beginning.matches(checkpoint.prefix)) return 0;
  const shared = await file?.use(async (original) => {
    const end = Math.min(size, (await original.stat()).size);
    return (await haveSameBytes(handle, original, { start: 0, end })) ? end : 0;
  });
  if (shared !== undefined && shared > 0) return shared;
  const mark = checkpoint.marks.findLast(([position]) => position <= size);
  if (mark === undefined) return 0;
  const [position, , crc32] = mark;
  // The beginning alone is no evidence for more bytes than were lost before any was read.
  if (position === 0 && mark !== checkpoint.marks.at(-1)) return 0;
  const isSame =
    checkpoint.checksumFrom !== 0 || (await checksumOf(handle, { start: 0, end: position })) === crc32;
  // The bytes between two positions of one stream are read too.
  return isSame ? Math.min(size, endOf(checkpoint)) : 0;
}

/** The end of the bytes that were read, or were counted as lost when the file was gone. */
function endOf({ marks, lostBytes = 0 }: FileCheckpoint): Position {
  const [position = 0] = marks.at(-1) ?? [];
  return position + lostBytes;
}
