import { CHECK_WINDOW_BYTES, type Check, checkOf } from '../../../../records/check.ts';
import type { Position } from '../../../../records/position.ts';
import { birthOf } from './birth-time.ts';
import type { FileAccess } from './file-access.ts';
import type { PositionMark } from './file-checkpoint.ts';
import { type ByteRange, checksumOf } from './file-contents.ts';
import { type FilePrefix, PREFIX_MAX_BYTES, type PrefixHash, readFilePrefix } from './file-prefix.ts';
import { readCheck } from './read-bytes.ts';
import type { ReadableFile } from './readable-file.ts';

/**
 * A file that is compared with its known bytes before more of it is read.
 *
 * Each read gets the 64 bytes before the position and the bytes after it in the same call. The new bytes
 * belong to the stream only if those 64 bytes are equal to the bytes that were read before: this detects a
 * file that was truncated and has grown past the position in between. The beginning and the time of creation
 * are compared after every pause.
 *
 *     file      ....................|<- 64 bytes ->|======== buffer ========|....
 *                                   evidence       from                      what does not fit yet
 *
 * The known beginning grows with the bytes that were read, not with the size of the file: a file may be
 * longer before its bytes arrive (network file systems), or its end may be overwritten.
 */
export class VerifiedFile {
  readonly #file: FileAccess;
  readonly #window = newWindow();
  readonly #birth: string | undefined;
  readonly #signals: PrefixSignals;
  #prefix: PrefixHash;
  #mustCheckPrefix = true;

  /** `signals.changed` is called when the known prefix has grown. */
  constructor(file: FileAccess, { prefix, birth }: KnownFile, signals: PrefixSignals) {
    this.#file = file;
    this.#prefix = prefix;
    this.#birth = birth;
    file.expectBirth(birth);
    this.#signals = signals;
  }

  get access(): FileAccess {
    return this.#file;
  }

  get prefix(): PrefixHash {
    return this.#prefix;
  }

  get birth(): string | undefined {
    return this.#birth;
  }

  /** The next read compares the beginning first. */
  requirePrefixCheck(): void {
    this.#mustCheckPrefix = true;
  }

  /**
   * Reads after `from`; 'other' when the bytes before it have changed; undefined when the file cannot be
   * read.
   */
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

  /** The check of the end of `data`, which the last read returned from `from` on. */
  checkAfter(from: Position, data: Buffer): Check {
    return checkOf(Buffer.concat([this.#windowBefore(from), data.subarray(-CHECK_WINDOW_BYTES)]));
  }

  /**
   * The check of a position; 'shorter' when the file ends before it; undefined when the file cannot be read.
   */
  checkAt(position: Position): Promise<Check | 'shorter' | undefined> {
    return this.#file.use(async (handle) => (await readCheck(handle, position)) ?? 'shorter');
  }

  /** The CRC-32 of a range, continued from `before`; undefined when the range cannot be read. */
  checksum(range: ByteRange, before = 0): Promise<number | undefined> {
    return this.#file.use((handle) => checksumOf(handle, range, before));
  }

  /** Whether the file still has the bytes that are known; undefined when it cannot be read. */
  holds([position, check]: PositionMark): Promise<boolean | undefined> {
    return this.#file.use(async (handle) => {
      if (!(await this.#isSame(handle, await readFilePrefix(handle)))) return false;
      return (await readCheck(handle, position)) === check;
    });
  }

  #windowBefore(from: Position): Buffer {
    return this.#window.subarray(0, Math.min(from, CHECK_WINDOW_BYTES));
  }

  async #isSame(handle: ReadableFile, beginning: FilePrefix): Promise<boolean> {
    if (!beginning.matches(this.#prefix)) return false;
    return this.#birth === undefined || (await birthOf(handle, this.#file.place.path)) === this.#birth;
  }

  async #proveBeginning(handle: ReadableFile, from: Position): Promise<boolean> {
    if (!this.#mustCheckPrefix && from > 0) return true;
    this.#mustCheckPrefix = false;
    const beginning = await readFilePrefix(handle);
    if (!(await this.#isSame(handle, beginning))) {
      this.#mustCheckPrefix = true;
      return false;
    }
    const length = Math.min(beginning.length, from, PREFIX_MAX_BYTES);
    if (length > this.#prefix.length) {
      this.#prefix = beginning.hash(length);
      this.#signals.changed();
    }
    return true;
  }
}

const WINDOWS_AT_ONCE = 256;
let unusedWindows = Buffer.alloc(0);

/** From Node's pool, each window would keep 8 KiB in memory, most of them of buffers that are not used any more. */
function newWindow(): Buffer {
  if (unusedWindows.length === 0)
    unusedWindows = Buffer.allocUnsafeSlow(WINDOWS_AT_ONCE * CHECK_WINDOW_BYTES);
  const window = unusedWindows.subarray(0, CHECK_WINDOW_BYTES);
  unusedWindows = unusedWindows.subarray(CHECK_WINDOW_BYTES);
  return window;
}

interface PrefixSignals {
  changed(): void;
}

/** The facts about a file that are known before it is opened. */
export interface KnownFile {
  readonly prefix: PrefixHash;
  readonly birth?: string | undefined;
}
