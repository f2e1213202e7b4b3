import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** SHA-256 of the content of files. A file is read again only when it has changed. */
export class FileDigests {
  readonly #known = new Map<string, { readonly mark: string; readonly digest: string }>();

  /** undefined: the file cannot be read, or is not a regular file. */
  async of(path: string): Promise<string | undefined> {
    try {
      // Without O_NONBLOCK, a pipe without a writer would block the caller.
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        return await this.#digest(path, file);
      } finally {
        await file.close();
      }
    } catch {
      this.#known.delete(path);
      return undefined;
    }
  }

  async #digest(path: string, file: FileHandle): Promise<string | undefined> {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile()) return undefined;
    const mark = markOf(stats);
    const known = this.#known.get(path);
    if (known?.mark === mark) return known.digest;
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Buffer);
    const digest = hash.digest('hex');
    this.#known.set(path, { mark, digest });
    return digest;
  }
}

function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
