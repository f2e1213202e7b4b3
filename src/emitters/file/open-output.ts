import { basename, dirname, join } from 'node:path';
import { checkOf } from '../../records/check.ts';
import { BirthNote } from './birth-note.ts';
import { agrees, type FileMark, isSameFile, markAt } from './file-mark.ts';
import type { FileStat, OpenFile } from './file-system.ts';
import type { OutputRoom } from './output-room.ts';

export interface OpenedOutput {
  readonly file: OpenFile;
  /** Its end now: nothing that will be emitted again lies before it. */
  readonly mark: FileMark;
  /** A birth note stands beside it: no committed state knows the file yet. */
  readonly isBorn: boolean;
}

/** Where the file of a path ended, as far as the caller knows. */
export interface KnownEnd {
  readonly mark: FileMark;
  /** Of the committed state; else of a flush that may not be committed yet. */
  readonly isCommitted: boolean;
}

/**
 * Opens the file at a path, such that it ends where the last flush left it.
 *
 * - The known mark agrees with the file (same inode, same bytes before the mark): cut to the mark.
 * - The known file has another name now: cut *that*; what is at the path is looked at by itself.
 * - The birth note agrees: we began this file, or this part of it, and nothing of it was ever committed: cut to there.
 * - None agrees: somebody else's bytes. Cut nothing, begin at the present end, and say so.
 * - There is no file: create one.
 */
export async function openOutput(
  path: string,
  known: KnownEnd | undefined,
  room: OutputRoom,
): Promise<OpenedOutput> {
  const found = await openExisting(path, room);
  try {
    const marks = await cutWhatMoved(path, { stat: found?.stat, known }, room);
    return found === undefined ? await create(path, room) : await settle(path, { ...found, marks }, room);
  } catch (error) {
    await found?.file.close();
    throw error;
  }
}

interface Found {
  readonly file: OpenFile;
  readonly stat: FileStat;
}

async function openExisting(path: string, { disk }: OutputRoom): Promise<Found | undefined> {
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

export interface AgreedMark {
  readonly mark: FileMark;
  /** The file's birth note stays. */
  readonly isBorn: boolean;
  /** The mark is the birth note's. */
  readonly isBirth: boolean;
}

/** Cuts the known files of a path that are not there any more (`stat`: what is); all the marks that are known. */
export async function cutWhatMoved(
  path: string,
  { stat, known }: { readonly stat: FileStat | undefined; readonly known: KnownEnd | undefined },
  room: OutputRoom,
): Promise<readonly AgreedMark[]> {
  const note = new BirthNote(path, room);
  const birth = await note.read();
  const isNoted = known !== undefined && birth !== undefined && isSameFile(known.mark, birth);
  if (isNoted && known.isCommitted) {
    // It stayed because its removal failed. It goes before the state forgets the file, and the note would have it cut.
    await note.remove();
  } else if (isNoted && !isSameFile(known.mark, stat) && known.mark.length > birth.length) {
    // A note for another file would take its place; after a crash nothing would tell where to cut this one.
    throw new Error(`${path} was moved before its first bytes were committed`);
  }
  const marks: AgreedMark[] = [];
  if (known !== undefined) {
    marks.push({ mark: known.mark, isBorn: isNoted && !known.isCommitted, isBirth: false });
  }
  if (birth !== undefined && !isNoted) marks.push({ mark: birth, isBorn: true, isBirth: true });
  for (const { mark } of marks) if (!isSameFile(mark, stat)) await cutMoved(path, mark, room);
  return marks;
}

async function settle(
  path: string,
  { file, stat, marks }: Found & { readonly marks: readonly AgreedMark[] },
  room: OutputRoom,
): Promise<OpenedOutput> {
  for (const { mark, isBorn, isBirth } of marks) {
    if (!(await agrees(mark, file, stat))) continue;
    await cut(path, { file, stat, mark }, room);
    // Whoever wrote the note may have been stopped before it was durable.
    if (isBirth) await new BirthNote(path, room).write(mark);
    return { file, mark, isBorn };
  }
  if (stat.sizeBytes > 0) room.events.adopted(path, stat.sizeBytes);
  const mark = await markAt(file, stat, stat.sizeBytes);
  await new BirthNote(path, room).write(mark);
  return { file, mark, isBorn: true };
}

async function create(path: string, room: OutputRoom): Promise<OpenedOutput> {
  const file = await room.disk.open(path, { create: true, mode: room.mode });
  try {
    const { device, inode } = await file.stat();
    const mark = { device, inode, length: 0, check: checkOf(new Uint8Array()) };
    await new BirthNote(path, room).write(mark);
    return { file, mark, isBorn: true };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** More names than any directory of logs has. */
const MAX_NAMES_SEARCHED = 10_000;

/** Cuts a known file where it is now, in the same directory under another name. */
export async function cutMoved(path: string, mark: FileMark, room: OutputRoom): Promise<void> {
  const directory = dirname(path);
  const isRelated = (name: string) => (name.startsWith(basename(path)) ? 0 : 1);
  const names = [...(await room.disk.list(directory))].sort((a, b) => isRelated(a) - isRelated(b));
  for (const name of names.slice(0, MAX_NAMES_SEARCHED)) {
    const candidate = join(directory, name);
    if (!isSameFile(mark, await room.disk.stat(candidate))) continue;
    const file = await room.disk.open(candidate, {});
    try {
      const stat = await file.stat();
      if (!(await agrees(mark, file, stat))) break;
      await cut(candidate, { file, stat, mark }, room);
      return;
    } finally {
      await file.close();
    }
  }
  room.events.lostSight(path);
}

async function cut(
  path: string,
  { file, stat, mark }: Found & { readonly mark: FileMark },
  { events, fsync }: OutputRoom,
): Promise<void> {
  const bytes = stat.sizeBytes - mark.length;
  if (bytes > 0) await file.truncate(mark.length);
  // Also when there is nothing to cut: an earlier attempt may have failed between the two.
  if (fsync) await file.sync();
  if (bytes > 0) events.cut(path, bytes);
}

/** The directory of an output file, created and durable with those above it. */
export async function prepareDirectory(path: string, { disk, fsync }: OutputRoom): Promise<void> {
  const directory = dirname(path);
  const first = await disk.createDirectory(directory);
  if (first === undefined || !fsync) return;
  for (let at = directory; at.length >= first.length; at = dirname(at)) await disk.syncDirectory(dirname(at));
}
