import { createHash } from 'node:crypto';
import { readBytes } from './read-bytes.ts';
import type { ReadableFile } from './readable-file.ts';

const HASH_BYTES = 16;

/** The first bytes of a file, at most 1 KiB. The hash of each length is computed once. */
export class FilePrefix {
  readonly bytes: Buffer;
  readonly #hashes = new Map<number, string>();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get length(): number {
    return this.bytes.length;
  }

  /**
   * Leaves out the NUL bytes at the end: on a network file system, a file may be longer before its bytes
   * arrive.
   */
  get hashWithoutNuls(): PrefixHash {
    let { length } = this.bytes;
    while (length > 0 && this.bytes[length - 1] === 0) length--;
    return this.hash(length);
  }

  hash(length = this.length): PrefixHash {
    return { length, hash: this.#hashOf(length) };
  }

  /** Whether the file with these first bytes may be the file of the hash. */
  matches(prefix: PrefixHash): boolean {
    return this.length >= prefix.length && this.#hashOf(prefix.length) === prefix.hash;
  }

  #hashOf(length: number): string {
    const known = this.#hashes.get(length);
    if (known !== undefined) return known;
    // A part of the text of the whole digest would keep all of it in memory.
    const digest = createHash('sha256').update(this.bytes.subarray(0, length)).digest();
    const hash = digest.toString('hex', 0, HASH_BYTES);
    this.#hashes.set(length, hash);
    return hash;
  }
}

export async function readFilePrefix(handle: ReadableFile): Promise<FilePrefix> {
  return new FilePrefix(await readBytes(handle, 0, PREFIX_MAX_BYTES));
}

/** The hash of the first bytes of a file, at most 1 KiB. It covers more bytes when the file grows. */
export type PrefixHash = { readonly length: number; readonly hash: string };

export const PREFIX_MAX_BYTES = 1024;
