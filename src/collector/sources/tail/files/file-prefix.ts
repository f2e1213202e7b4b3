import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';

/** The hash of a file's first bytes. It grows with the file, until it covers 1 KiB. */
export type PrefixHash = { readonly length: number; readonly hash: string };

export const PREFIX_MAX_BYTES = 1024;

/** The first bytes of a file, up to 1 KiB; hashes are computed once for each length that is asked for. */
export class FilePrefix {
  readonly bytes: Buffer;
  readonly #hashes = new Map<number, string>();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Without the NUL bytes at its end: on a network file system a file may be longer before its bytes arrive. */
  get hashWithoutNuls(): PrefixHash {
    let { length } = this.bytes;
    while (length > 0 && this.bytes[length - 1] === 0) length--;
    return this.hash(length);
  }

  hash(length = this.length): PrefixHash {
    return { length, hash: this.#hashOf(length) };
  }

  /** Whether a file that begins like this may be the one of the prefix. */
  matches(prefix: PrefixHash): boolean {
    return this.length >= prefix.length && this.#hashOf(prefix.length) === prefix.hash;
  }

  #hashOf(length: number): string {
    const known = this.#hashes.get(length);
    if (known !== undefined) return known;
    const hash = createHash('sha256').update(this.bytes.subarray(0, length)).digest('hex').slice(0, 32);
    this.#hashes.set(length, hash);
    return hash;
  }
}

/** The bytes `[start, end)`, or fewer where the file ends. */
export async function readBytes(handle: FileHandle, start: Position, end: Position): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(end - start);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, start + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

export async function readFilePrefix(handle: FileHandle): Promise<FilePrefix> {
  return new FilePrefix(await readBytes(handle, 0, PREFIX_MAX_BYTES));
}

/** The check of a position in a file; undefined when the file does not reach that far. */
export async function readCheck(handle: FileHandle, position: Position): Promise<Check | undefined> {
  const start = Math.max(0, position - CHECK_WINDOW_BYTES);
  const window = await readBytes(handle, start, position);
  return window.length === position - start ? checkOf(window) : undefined;
}
