import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, realpath, rename, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join, parse, relative, sep } from 'node:path';
import { isFileError } from '../tail/files/file-error.ts';
import { type Upload, versionOf } from './find-uploads.ts';

/** The file at the path is not the one that was read, or it has changed since then. Nothing was done. */
export class UploadChanged extends Error {
  override readonly name = 'UploadChanged';
}

/** Deletes the file of an upload. */
export function deleteUpload(upload: Upload): Promise<void> {
  return withUnchanged(upload, unlink);
}

/**
 * Moves the file of an upload below another directory, with its path below the upload directory. It replaces no file:
 * a second `a.log` becomes `a.1.log`. Returns the new path.
 */
export async function moveUpload(upload: Upload, directory: string): Promise<string> {
  const wanted = join(directory, relative(upload.entry.path, upload.path));
  await mkdir(dirname(wanted), { recursive: true });
  return withUnchanged(upload, async (from) => {
    for (let number = 0; ; number++) {
      const to = numbered(wanted, number);
      if (await moveTo(from, to)) return to;
    }
  });
}

/**
 * Calls `use` with a path of the file. On Linux, the path begins at the open directory: a directory that is replaced
 * by a link in the meantime cannot redirect it.
 */
async function withUnchanged<T>(upload: Upload, use: (path: string) => Promise<T>): Promise<T> {
  const directory = await open(dirname(upload.path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const base = process.platform === 'linux' ? `/proc/self/fd/${directory.fd}` : dirname(upload.path);
    await requireInside(base, upload.entry.path);
    const path = join(base, basename(upload.path));
    const found = await lstat(path, { bigint: true });
    if (!found.isFile() || versionOf(found) !== upload.version) throw new UploadChanged();
    return await use(path);
  } finally {
    await directory.close();
  }
}

async function requireInside(directory: string, root: string): Promise<void> {
  const [real, realRoot] = await Promise.all([realpath(directory), realpath(root)]);
  if (real !== realRoot && !real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep))
    throw new UploadChanged();
}

function numbered(path: string, number: number): string {
  if (number === 0) return path;
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}.${number}${ext}`);
}

/** File systems without hard links, and systems that do not permit them for the files of other users. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES']);

/** False when there is a file at the new path. A link replaces no file, unlike a rename. */
async function moveTo(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
  } catch (error) {
    if (!isFileError(error)) throw error;
    if (error.code === 'EXDEV') return copyTo(from, to);
    if (NO_LINKS.has(error.code ?? '')) return renameTo(from, to);
    if (error.code !== 'EEXIST') throw error;
    // After a crash between the link and the deletion, the file has both names.
    if (!(await areSameFile(from, to))) return false;
  }
  await unlink(from);
  return true;
}

async function renameTo(from: string, to: string): Promise<boolean> {
  if (await exists(to)) return false;
  await rename(from, to);
  return true;
}

/** To another file system. The file is deleted when its copy is on disk. */
async function copyTo(from: string, to: string): Promise<boolean> {
  const temporary = join(dirname(to), `.${basename(to)}.mega-collector`);
  const { atime, mtime } = await lstat(from);
  await copyFile(from, temporary);
  await utimes(temporary, atime, mtime);
  const copy = await open(temporary, 'r+');
  try {
    await copy.sync();
  } finally {
    await copy.close();
  }
  if (await exists(to)) {
    await unlink(temporary);
    return false;
  }
  await rename(temporary, to);
  await unlink(from);
  return true;
}

async function areSameFile(a: string, b: string): Promise<boolean> {
  const [ofA, ofB] = await Promise.all([lstat(a, { bigint: true }), lstat(b, { bigint: true })]);
  return ofA.dev === ofB.dev && ofA.ino === ofB.ino;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
