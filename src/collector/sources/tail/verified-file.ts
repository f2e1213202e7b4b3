import type { FileHandle } from 'node:fs/promises';
import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../../records/check.ts';
import type { Position } from '../../../records/position.ts';
import type { FileAccess } from './file-access.ts';
import type { PositionMark } from './file-checkpoint.ts';
import { PREFIX_MAX_BYTES, type Prefix, readCheck, readHead } from './file-identity.ts';

/**
 * A file of which something is known, and that must prove itself before more of it is believed.
 *
 * Each read takes the 64 bytes before the position in the same call as the bytes behind it. Only when they are those
 * that were read before, what follows belongs to the same stream: a file that was truncated and has grown past the
 * position in between gives itself away. The beginning is compared too, whenever there was time for something to happen.
 *
 *     file      ....................|<- 64 bytes ->|======== buffer ========|....
 *                                   evidence       from                      what does not fit yet
 */
export class VerifiedFile {
  readonly #file: FileAccess;
  readonly #window = Buffer.allocUnsafe(CHECK_WINDOW_BYTES);
  readonly #onPrefix: () => void;
  #prefix: Prefix;
  #isSuspect = true;

  /** `onPrefix` is called when the prefix has grown with the file. */
  constructor(file: FileAccess, prefix: Prefix, onPrefix: () => void) {
    this.#file = file;
    this.#prefix = prefix;
    this.#onPrefix = onPrefix;
  }

  get access(): FileAccess {
    return this.#file;
  }

  get prefix(): Prefix {
    return this.#prefix;
  }

  /** The beginning is to be compared before the next bytes are believed. */
  suspect(): void {
    this.#isSuspect = true;
  }

  /** The bytes behind `from`; 'other' when those before it are not as known; undefined when the file cannot be read. */
  read(from: Position, known: Check | undefined, buffer: Buffer): Promise<Buffer | 'other' | undefined> {
    return this.#file.use(async (handle) => {
      const window = this.#windowBefore(from);
      const { bytesRead } = await handle.readv([window, buffer], from - window.length);
      if (bytesRead < window.length) return 'other';
      if (known !== undefined && checkOf(window) !== known) return 'other';
      if (!(await this.#proveBeginning(handle, from))) return 'other';
      return buffer.subarray(0, bytesRead - window.length);
    });
  }

  /** The check of the end of `data`, which was the last to be read, from `from` on. */
  checkBehind(from: Position, data: Buffer): Check {
    return checkOf(Buffer.concat([this.#windowBefore(from), data.subarray(-CHECK_WINDOW_BYTES)]));
  }

  /** The check of a position; 'shorter' when the file ends before; undefined when it cannot be read. */
  checkAt(position: Position): Promise<Check | 'shorter' | undefined> {
    return this.#file.use(async (handle) => (await readCheck(handle, position)) ?? 'shorter');
  }

  /** Whether it still holds what is known of it; undefined when it cannot be read. */
  holds([position, check]: PositionMark): Promise<boolean | undefined> {
    return this.#file.use(async (handle) => {
      if (!(await readHead(handle)).agrees(this.#prefix)) return false;
      return (await readCheck(handle, position)) === check;
    });
  }

  #windowBefore(from: Position): Buffer {
    return this.#window.subarray(0, Math.min(from, CHECK_WINDOW_BYTES));
  }

  async #proveBeginning(handle: FileHandle, from: Position): Promise<boolean> {
    if (!this.#isSuspect && from > 0) return true;
    this.#isSuspect = false;
    const head = await readHead(handle);
    if (!head.agrees(this.#prefix)) {
      this.#isSuspect = true;
      return false;
    }
    if (head.length > this.#prefix.length && this.#prefix.length < PREFIX_MAX_BYTES) {
      this.#prefix = head.prefix();
      this.#onPrefix();
    }
    return true;
  }
}
