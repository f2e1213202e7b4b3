import type { FileCheckpoint, PositionMark } from '../files/file-checkpoint.ts';
import { checksumOf } from '../files/file-contents.ts';
import type { FilePrefix } from '../files/file-prefix.ts';
import { readCheck } from '../files/read-bytes.ts';
import type { ReadableFile } from '../files/readable-file.ts';

/** Fewer bytes are no evidence. Shorter files are distinguished by device, inode and time of creation. */
export const MIN_EVIDENCE_BYTES = 64;

/**
 * Whether it is the same file for the file system: it has the same inode, and the inode number was not used
 * again for another file. Device numbers change when a machine starts, so the same path or time of creation
 * is enough instead.
 */
export function isSameInode(known: FileCheckpoint, file: Omit<Candidate, 'handle' | 'beginning'>): boolean {
  if (known.inode !== file.inode) return false;
  const isBirthKnown = known.birth !== undefined && file.birth !== undefined;
  if (isBirthKnown) return known.birth === file.birth;
  if (known.deleted === true) return false;
  return known.device === file.device || known.path === file.path;
}

/** The bytes of an open file. */
export interface FileContent {
  readonly handle: ReadableFile;
  readonly beginning: FilePrefix;
}

/** An open file that may be known. */
export interface Candidate extends FileContent {
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly birth: string | undefined;
}

/**
 * Whether a file that is the same by `isSameInode` still has the bytes that were read: compares the first and
 * the last of them.
 */
export async function stillHolds(known: FileCheckpoint, file: FileContent): Promise<boolean> {
  const mark = known.marks.at(-1);
  if (mark === undefined || !file.beginning.matches(known.prefix)) return false;
  return (await readCheck(file.handle, mark[0])) === mark[1];
}

/**
 * Whether the file has every byte that was read of the known file. This is the evidence by which a stream
 * continues in another file. The cheap comparisons come first, so that most other files are not read.
 */
export async function hasAllBytes(known: FileCheckpoint, file: FileContent): Promise<boolean> {
  const mark = known.marks.at(-1);
  if (mark === undefined || known.checksumFrom !== 0) return false;
  if (Math.max(mark[0], known.prefix.length) < MIN_EVIDENCE_BYTES) return false;
  return (await stillHolds(known, file)) && (await holdsMark(known, mark, file));
}

/**
 * The highest known position up to which the file has the bytes that were read; undefined when there is none.
 */
export async function highestMatching(
  known: FileCheckpoint,
  file: Candidate,
): Promise<PositionMark | undefined> {
  for (const mark of known.marks.toReversed()) {
    if (mark[0] > 0 && (await holdsMark(known, mark, file))) return mark;
  }
  return undefined;
}

/**
 * The highest known position within the file, if the file is equal up to it. A file with an equal beginning
 * and other bytes after it is no copy, however long that beginning is.
 */
export async function highestWithin(
  known: FileCheckpoint,
  file: Candidate,
  sizeBytes: number,
): Promise<PositionMark | undefined> {
  const mark = known.marks.findLast(([position]) => position <= sizeBytes);
  return mark !== undefined && mark[0] > 0 && (await holdsMark(known, mark, file)) ? mark : undefined;
}

/**
 * Compares all bytes up to the mark. Without a checksum, compares the beginning and the bytes before the
 * mark.
 */
async function holdsMark(
  known: FileCheckpoint,
  [position, check, crc32]: PositionMark,
  { handle, beginning }: FileContent,
): Promise<boolean> {
  if ((await readCheck(handle, position)) !== check) return false;
  const from = known.checksumFrom;
  if (crc32 !== undefined && from !== undefined && (from < position || from === 0)) {
    if (from > 0 && !beginning.matches(known.prefix)) return false;
    return (await checksumOf(handle, { start: from, end: position })) === crc32;
  }
  return (
    position >= MIN_EVIDENCE_BYTES &&
    (beginning.length < known.prefix.length || beginning.matches(known.prefix))
  );
}
