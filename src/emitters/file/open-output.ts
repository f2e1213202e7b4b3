import { basename, dirname, join } from 'node:path';
import { checkOf } from '../../records/check.ts';
import { type FileMark, isSameFile, markAt, matches } from './file-mark.ts';
import type { FileStat, OpenFile } from './file-system.ts';
import type { OutputContext } from './output-context.ts';
import { UncommittedMarker } from './uncommitted-marker.ts';

export interface OpenedOutput {
  readonly file: OpenFile;
  /** Its current end: no record before it will be emitted again. */
  readonly mark: FileMark;
  /** It has an uncommitted marker: the file has no committed state yet. */
  readonly isUncommitted: boolean;
}

/** The end of the file at a path as known to the caller. */
export interface KnownEnd {
  readonly mark: FileMark;
  /** True: from the committed state. False: from a flush that may not be committed yet. */
  readonly isCommitted: boolean;
}

/**
 * Opens the file at a path, truncated to its end at the last flush.
 *
 * - The known mark matches the file (same inode, same bytes before the mark): truncates to the mark.
 * - The known file has another name now: truncates that file; checks the file at the path separately.
 * - The uncommitted marker matches: the emitter started here and committed nothing, so this truncates to the
 *   marker.
 * - Nothing matches: the bytes are of another program. Truncates nothing, starts at the current end, logs a
 *   warning.
 * - There is no file: creates one.
 */
export async function openOutput(
  path: string,
  known: KnownEnd | undefined,
  context: OutputContext,
): Promise<OpenedOutput> {
  const found = await openExisting(path, context);
  try {
    const marks = await truncateMovedFiles(path, { stat: found?.stat, known }, context);
    return found === undefined
      ? await create(path, context)
      : await truncateToMark(path, { ...found, marks }, context);
  } catch (error) {
    await found?.file.close();
    throw error;
  }
}

interface Found {
  readonly file: OpenFile;
  readonly stat: FileStat;
}

async function openExisting(path: string, { disk }: OutputContext): Promise<Found | undefined> {
  const named = await disk.stat(path);
  if (named === undefined) return undefined;
  if (!named.isFile) throw new Error(`${path} is not a regular file`);
  const file = await disk.open(path, {});
  try {
    return { file, stat: await file.stat() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

export interface KnownMark {
  readonly mark: FileMark;
  /** The file keeps its uncommitted marker. */
  readonly isUncommitted: boolean;
  /** The mark is from the uncommitted marker. */
  readonly isFromMarker: boolean;
}

/**
 * Truncates known files that were moved from the path (`stat`: the file there now). Returns all known marks.
 */
export async function truncateMovedFiles(
  path: string,
  { stat, known }: { readonly stat: FileStat | undefined; readonly known: KnownEnd | undefined },
  context: OutputContext,
): Promise<readonly KnownMark[]> {
  const marker = new UncommittedMarker(path, context);
  const marked = await marker.read();
  const isMarked = known !== undefined && marked !== undefined && isSameFile(known.mark, marked);
  if (isMarked && known.isCommitted) {
    // An earlier removal failed. Once the state forgets the file, the marker would cause it to be truncated.
    await marker.remove();
  } else if (isMarked && !isSameFile(known.mark, stat) && known.mark.length > marked.length) {
    // A marker for another file would replace this one; after a crash the length of this file would be
    // unknown.
    throw new Error(`${path} was moved before its first commit`);
  }
  const marks: KnownMark[] = [];
  if (known !== undefined) {
    marks.push({ mark: known.mark, isUncommitted: isMarked && !known.isCommitted, isFromMarker: false });
  }
  if (marked !== undefined && !isMarked)
    marks.push({ mark: marked, isUncommitted: true, isFromMarker: true });
  for (const { mark } of marks) if (!isSameFile(mark, stat)) await truncateMovedFile(path, mark, context);
  return marks;
}

async function truncateToMark(
  path: string,
  { file, stat, marks }: Found & { readonly marks: readonly KnownMark[] },
  context: OutputContext,
): Promise<OpenedOutput> {
  for (const { mark, isUncommitted, isFromMarker } of marks) {
    if (!(await matches(mark, file, stat))) continue;
    await cut(path, { file, stat, mark }, context);
    // The process that wrote the marker may have ended before it was durable.
    if (isFromMarker) await new UncommittedMarker(path, context).write(mark);
    return { file, mark, isUncommitted };
  }
  if (stat.sizeBytes > 0) context.events.adopted(path, stat.sizeBytes);
  const mark = await markAt(file, stat, stat.sizeBytes);
  await new UncommittedMarker(path, context).write(mark);
  return { file, mark, isUncommitted: true };
}

async function create(path: string, context: OutputContext): Promise<OpenedOutput> {
  const file = await context.disk.open(path, { create: true, mode: context.mode });
  try {
    const { device, inode } = await file.stat();
    const mark = { device, inode, length: 0, check: checkOf(new Uint8Array()) };
    await new UncommittedMarker(path, context).write(mark);
    return { file, mark, isUncommitted: true };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** More names than log directories normally have. */
const MAX_NAMES_SEARCHED = 10_000;

/** Truncates a known file that was renamed within its directory. */
export async function truncateMovedFile(path: string, mark: FileMark, context: OutputContext): Promise<void> {
  const directory = dirname(path);
  const isRelated = (name: string) => (name.startsWith(basename(path)) ? 0 : 1);
  const names = [...(await context.disk.list(directory))].sort((a, b) => isRelated(a) - isRelated(b));
  for (const name of names.slice(0, MAX_NAMES_SEARCHED)) {
    const candidate = join(directory, name);
    if (!isSameFile(mark, await context.disk.stat(candidate))) continue;
    const file = await context.disk.open(candidate, {});
    try {
      const stat = await file.stat();
      if (!(await matches(mark, file, stat))) break;
      await cut(candidate, { file, stat, mark }, context);
      return;
    } finally {
      await file.close();
    }
  }
  context.events.notFound(path);
}

async function cut(
  path: string,
  { file, stat, mark }: Found & { readonly mark: FileMark },
  { events, fsync }: OutputContext,
): Promise<void> {
  const bytes = stat.sizeBytes - mark.length;
  if (bytes > 0) await file.truncate(mark.length);
  // Also without a truncation: an earlier attempt may have failed between truncate and sync.
  if (fsync) await file.sync();
  if (bytes > 0) events.cut(path, bytes);
}

/** Creates the directory of an output file and its parents, durably. */
export async function prepareDirectory(path: string, { disk, fsync }: OutputContext): Promise<void> {
  const directory = dirname(path);
  const first = await disk.createDirectory(directory);
  if (first === undefined || !fsync) return;
  for (let at = directory; at.length >= first.length; at = dirname(at)) await disk.syncDirectory(dirname(at));
}
