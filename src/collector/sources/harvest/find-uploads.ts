import type { BigIntStats, Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import picomatch from 'picomatch';
import type { FilePlace } from '../tail/files/file-access.ts';
import { isFileError } from '../tail/files/file-error.ts';
import { fileKey } from '../tail/identity/followed-files.ts';
import type { HarvestEntry } from './configuration.ts';

/** Maximum depth of directories below an upload directory. */
const MAX_DEPTH = 32;

/** A regular file in an upload directory, as a scan has found it. */
export interface Upload extends FilePlace {
  readonly entry: HarvestEntry;
  readonly sizeBytes: number;
  readonly modifiedUnixMs: number;
  /** The last write or change of its inode. */
  readonly changedUnixMs: number;
  /** Another text when the file was written to, renamed, or got other permissions. */
  readonly version: string;
}

export interface FoundUploads {
  /** The oldest first. */
  readonly uploads: readonly Upload[];
  /** The files with ignored names. */
  readonly ignored: ReadonlySet<string>;
  /** The directories in which uploads may appear. */
  readonly directories: ReadonlySet<string>;
  /** Directories that cannot be listed. Their files are unknown, not gone. */
  readonly unreadable: ReadonlyMap<string, Error>;
  readonly nonUtf8Paths: ReadonlySet<string>;
}

/**
 * Lists the upload directories. No symbolic link below them is followed, so that an upload cannot name a file outside.
 * Sockets, pipes and devices are left out.
 */
export async function findUploads(entries: readonly HarvestEntry[]): Promise<FoundUploads> {
  const walk = new UploadWalk();
  for (const entry of entries) await walk.visit(entry, entry.path, MAX_DEPTH);
  const uploads = walk.uploads.sort(compareByAge);
  const { ignored, directories, unreadable, nonUtf8Paths } = walk;
  return { uploads, ignored, directories, unreadable, nonUtf8Paths };
}

/** True when the name of the file or directory is that of an unfinished upload. */
export function isIgnored({ ignore }: Pick<HarvestEntry, 'ignore'>, name: string): boolean {
  return ignore.length > 0 && picomatch.isMatch(name, [...ignore], { dot: true });
}

/** Whether a file with this path is in the upload directory, under any name. */
export function isBelow(path: string, entry: Pick<HarvestEntry, 'path' | 'recursive'>): boolean {
  return dirname(path) === entry.path || (entry.recursive && path.startsWith(entry.path + sep));
}

class UploadWalk {
  readonly uploads: Upload[] = [];
  readonly ignored = new Set<string>();
  readonly directories = new Set<string>();
  readonly unreadable = new Map<string, Error>();
  readonly nonUtf8Paths = new Set<string>();

  async visit(entry: HarvestEntry, directory: string, depth: number): Promise<void> {
    for (const child of await this.#list(directory)) {
      const path = join(directory, child.name);
      if (child.isFile()) await this.#add(entry, path, isIgnored(entry, child.name));
      else if (child.isDirectory() && entry.recursive && depth > 0 && !isIgnored(entry, child.name))
        await this.visit(entry, path, depth - 1);
    }
  }

  async #list(directory: string): Promise<Dirent[]> {
    try {
      const children = await readdir(directory, { withFileTypes: true });
      this.directories.add(directory);
      return children;
    } catch (error) {
      if (!isFileError(error)) throw error;
      this.unreadable.set(directory, error);
      return [];
    }
  }

  async #add(entry: HarvestEntry, path: string, isTemporary: boolean): Promise<void> {
    try {
      const found = await lstat(path, { bigint: true });
      if (!found.isFile()) return;
      const upload = uploadOf(entry, path, found);
      if (isTemporary) this.ignored.add(fileKey(upload));
      else this.uploads.push(upload);
    } catch (error) {
      if (!isFileError(error)) throw error;
      // Node replaces bytes that are not UTF-8, and no file has the resulting name.
      if (path.includes('\ufffd') && error.code === 'ENOENT') this.nonUtf8Paths.add(path);
    }
  }
}

function uploadOf(entry: HarvestEntry, path: string, found: BigIntStats): Upload {
  const { dev, ino, size, mtimeMs, ctimeMs } = found;
  return {
    ...{ path, entry, device: String(dev), inode: String(ino), sizeBytes: Number(size) },
    modifiedUnixMs: Number(mtimeMs),
    changedUnixMs: Math.max(Number(mtimeMs), Number(ctimeMs)),
    version: versionOf(found),
  };
}

export function versionOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

function compareByAge(a: Upload, b: Upload): number {
  return a.modifiedUnixMs - b.modifiedUnixMs || (a.path < b.path ? -1 : 1);
}
