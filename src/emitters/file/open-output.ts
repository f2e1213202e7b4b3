import { basename, dirname, join } from 'node:path';
import { checkOf } from '../../records/check.ts';
import { endAt, type FileEnd, isSameFile, matches } from './file-end.ts';
import type { FileStat, OpenFile } from './file-system.ts';
import type { OutputContext } from './output-context.ts';
import { UncommittedMarker } from './uncommitted-marker.ts';

export interface OpenedOutput {
  readonly file: OpenFile;
  /** Its current end: no record before it will be emitted again. */
  readonly end: FileEnd;
  /** It has an uncommitted marker: the file has no committed state yet. */
  readonly isUncommitted: boolean;
}

/** The end of the file at a path as known to the caller. */
export interface KnownEnd {
  readonly end: FileEnd;
  /** True: from the committed state. False: from a flush that may not be committed yet. */
  readonly isCommitted: boolean;
}

/**
 * Opens the file at a path, truncated to its end at the last flush.
 *
 *     the file at the path                               what happens
 *     ----------------------------------------------------------------------------------------------
 *     the known file, same bytes before the known end    truncated to the known end
 *     the file of the uncommitted marker, same bytes     truncated to the marker: nothing is committed
 *     any other file                                     another program's: appended to, with a warning
 *     none                                               created
 *
 * The known file and the file of the marker are also truncated if they have another name now.
 */
export async function openOutput(
  path: string,
  known: KnownEnd | undefined,
  context: OutputContext,
): Promise<OpenedOutput> {
  const found = await openExisting(path, context);
  try {
    const candidates = await truncateMovedFiles(path, { stat: found?.stat, known }, context);
    return found === undefined
      ? await create(path, context)
      : await continueFile(path, { ...found, candidates }, context);
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

/** An end that the file at the path may have: from the caller, or from the uncommitted marker. */
export interface EndCandidate {
  readonly end: FileEnd;
  /** The file keeps its uncommitted marker. */
  readonly isUncommitted: boolean;
  readonly isFromMarker: boolean;
}

/**
 * Truncates known files that were moved from the path (`stat`: the file there now). Returns all candidates.
 */
export async function truncateMovedFiles(
  path: string,
  { stat, known }: { readonly stat: FileStat | undefined; readonly known: KnownEnd | undefined },
  context: OutputContext,
): Promise<readonly EndCandidate[]> {
  const marker = new UncommittedMarker(path, context);
  const marked = await marker.read();
  const isMarked = known !== undefined && marked !== undefined && isSameFile(known.end, marked);
  if (isMarked && known.isCommitted) {
    // An earlier removal failed. Once the state forgets the file, the marker would cause it to be truncated.
    await marker.remove();
  } else if (isMarked && !isSameFile(known.end, stat) && known.end.length > marked.length) {
    // A marker for another file would replace this one; after a crash the length of this file would be
    // unknown.
    throw new Error(`${path} was moved before its first commit`);
  }
  const candidates: EndCandidate[] = [];
  if (known !== undefined) {
    candidates.push({ end: known.end, isUncommitted: isMarked && !known.isCommitted, isFromMarker: false });
  }
  if (marked !== undefined && !isMarked)
    candidates.push({ end: marked, isUncommitted: true, isFromMarker: true });
  for (const { end } of candidates) if (!isSameFile(end, stat)) await truncateMovedFile(path, end, context);
  return candidates;
}

/** Truncates the file to the first candidate that matches it; without one, continues at its current end. */
async function continueFile(
  path: string,
  { file, stat, candidates }: Found & { readonly candidates: readonly EndCandidate[] },
  context: OutputContext,
): Promise<OpenedOutput> {
  for (const { end, isUncommitted, isFromMarker } of candidates) {
    if (!(await matches(end, file, stat))) continue;
    await truncate(path, { file, stat, end }, context);
    // The process that wrote the marker may have ended before it was durable.
    if (isFromMarker) await new UncommittedMarker(path, context).write(end);
    return { file, end, isUncommitted };
  }
  if (stat.sizeBytes > 0) context.events.adopted({ path, bytes: stat.sizeBytes });
  const end = await endAt(file, stat, stat.sizeBytes);
  await new UncommittedMarker(path, context).write(end);
  return { file, end, isUncommitted: true };
}

async function create(path: string, context: OutputContext): Promise<OpenedOutput> {
  const file = await context.disk.open(path, { create: true, mode: context.mode });
  try {
    const { device, inode } = await file.stat();
    const end = { device, inode, length: 0, check: checkOf(new Uint8Array()) };
    await new UncommittedMarker(path, context).write(end);
    return { file, end, isUncommitted: true };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** More names than log directories normally have. */
const MAX_NAMES_SEARCHED = 10_000;

/** Truncates a known file that was renamed within its directory. */
export async function truncateMovedFile(path: string, end: FileEnd, context: OutputContext): Promise<void> {
  const directory = dirname(path);
  const isRelated = (name: string) => (name.startsWith(basename(path)) ? 0 : 1);
  const names = [...(await context.disk.list(directory))].sort((a, b) => isRelated(a) - isRelated(b));
  for (const name of names.slice(0, MAX_NAMES_SEARCHED)) {
    const candidate = join(directory, name);
    if (!isSameFile(end, await context.disk.stat(candidate))) continue;
    const file = await context.disk.open(candidate, {});
    try {
      const stat = await file.stat();
      if (!(await matches(end, file, stat))) break;
      await truncate(candidate, { file, stat, end }, context);
      return;
    } finally {
      await file.close();
    }
  }
  context.events.notFound({ path });
}

async function truncate(
  path: string,
  { file, stat, end }: Found & { readonly end: FileEnd },
  { events, fsync }: OutputContext,
): Promise<void> {
  const bytes = stat.sizeBytes - end.length;
  if (bytes > 0) await file.truncate(end.length);
  // Also without a truncation: an earlier attempt may have failed between truncate and sync.
  if (fsync) await file.sync();
  if (bytes > 0) events.truncated({ path, bytes });
}

/** Creates the directory of an output file and its parents, durably. */
export async function prepareDirectory(path: string, { disk, fsync }: OutputContext): Promise<void> {
  const directory = dirname(path);
  const first = await disk.createDirectory(directory);
  if (first === undefined || !fsync) return;
  for (let at = directory; at.length >= first.length; at = dirname(at)) await disk.syncDirectory(dirname(at));
}
