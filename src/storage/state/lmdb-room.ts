import { type FileHandle, open, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { StateStoreError } from './state-store-error.ts';

export class LmdbRoom {
  readonly #path: string;
  readonly #largestStepBytes: number;
  #sizeBytes = 0;

  constructor(directory: string, largestStepBytes: number) {
    this.#path = join(directory, 'data.mdb');
    this.#largestStepBytes = largestStepBytes;
  }

  /**
   * Reserves `growthBytes` after `usedBytes`, and half a step more if possible. Must not be called during a
   * write of LMDB. Rejects with a StateStoreError when there is no room for the growth.
   */
  async provide(usedBytes: number, growthBytes: number): Promise<void> {
    const stepBytes = this.#stepFor(usedBytes);
    const comfortable = usedBytes + Math.max(growthBytes, stepBytes / 2);
    if (this.#sizeBytes >= comfortable) return;
    this.#sizeBytes = (await stat(this.#path)).size;
    if (this.#sizeBytes >= comfortable) return;
    if (await this.#extend(Math.ceil(comfortable / stepBytes) * stepBytes)) return;
    const enough = usedBytes + growthBytes;
    if (this.#sizeBytes >= enough || (await this.#extend(enough))) return;
    throw new StateStoreError(`${this.#path} cannot grow: there is no room on the disk`);
  }

  /** Steps grow with the content, up to the largest one: a new store is small. */
  #stepFor(usedBytes: number): number {
    const asLarge = 2 ** Math.ceil(Math.log2(Math.max(usedBytes, FIRST_STEP_BYTES)));
    return Math.min(asLarge, this.#largestStepBytes);
  }

  /** False, and nothing is changed, when there is no room. */
  async #extend(toBytes: number): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.#path);
    if (bavail * bsize < toBytes - this.#sizeBytes) return false;
    const file = await open(this.#path, 'r+');
    try {
      await writeZeros(file, this.#sizeBytes, toBytes);
      await file.sync();
      this.#sizeBytes = toBytes;
      return true;
    } catch {
      await file.truncate(this.#sizeBytes).catch(() => undefined);
      return false;
    } finally {
      await file.close();
    }
  }
}

/*
 * Reserves disk space for LMDB's two files before LMDB needs it.
 *
 * LMDB must never find the disk full. When it cannot write a page, lmdb 3.5.6 puts the error's text into
 * 100 bytes that do not hold it (`mdb_page_flush` in mdb.c), and the process dies of a damaged heap, then or later;
 * where its lock file, which it maps and which is made with holes, gets no block, it dies of SIGBUS at once. So
 *
 *   - the lock file is written in full before LMDB sees it;
 *   - data.mdb is extended here, with zeros that are written and flushed, beyond what LMDB uses. LMDB reads its end
 *     from its meta pages, not from the file's size; the rest is overwritten later:
 *
 *         | meta | pages in use, pages to be used again ... | zeros: step/2 or more |
 *         0                                             used                       size
 *
 *   - a commit for which there may not be enough of them, and for which the disk has no more, is not tried.
 *
 * At least half a step is kept free, so that room exists already when the disk becomes full. Commits of that time
 * (cursors, checkpoints) reuse pages, and copy only the pages on the way to a change. Half a step is at least half as
 * large as the content, or half of the largest step, which is far more than one transaction needs.
 *
 * What is left: a disk that fails to write blocks that it has (EIO), and file systems that take new blocks for each
 * write (copy on write).
 */

export const LMDB_PAGE_BYTES = 4096;

const FIRST_STEP_BYTES = 1024 * 1024;

/** More than the lock file needs for 126 readers. */
const LOCK_FILE_BYTES = 16 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Called before LMDB opens the directory for the first time. Rejects with a StateStoreError when there is no
 * room.
 */
export async function makeLockFile(directory: string): Promise<void> {
  const path = join(directory, 'lock.mdb');
  const file = await open(path, 'a', 0o600);
  try {
    const { size } = await file.stat();
    if (size < LOCK_FILE_BYTES) await file.writeFile(Buffer.alloc(LOCK_FILE_BYTES - size));
  } catch (error) {
    throw new StateStoreError(`${path} cannot be written: ${(error as Error).message}`, { cause: error });
  } finally {
    await file.close();
  }
}

/** The tree that a transaction changes. */
export interface TreeShape {
  readonly depth: number;
  readonly pages: number;
}

/** The changes of a transaction. */
export interface TreeChange {
  readonly puts: number;
  readonly removals: number;
  readonly putBytes: number;
}

/** An upper limit for the growth of LMDB's file in such a transaction. */
export function growthOf({ puts, removals, putBytes }: TreeChange, { depth, pages }: TreeShape): number {
  // Each page on the path to a change is copied; a page with an insertion may be split.
  const pagesTouchedBy = (changes: number) => Math.min(changes * (depth + 1), pages + 1);
  const splits = pagesTouchedBy(puts) + Math.ceil(putBytes / (LMDB_PAGE_BYTES / 2));
  return (pagesTouchedBy(puts + removals) + splits + SPARE_PAGES) * LMDB_PAGE_BYTES;
}

/** For the list of pages that become free. */
const SPARE_PAGES = 16;

async function writeZeros(file: FileHandle, from: number, to: number): Promise<void> {
  const zeros = Buffer.alloc(Math.min(CHUNK_BYTES, to - from));
  for (let position = from; position < to; ) {
    const { bytesWritten } = await file.write(zeros, 0, Math.min(zeros.length, to - position), position);
    position += bytesWritten;
  }
}
