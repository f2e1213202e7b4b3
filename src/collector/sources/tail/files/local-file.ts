import {
  type BigIntStats,
  closeSync,
  fstatSync,
  openSync,
  readSync,
  readv,
  readvSync,
  type Stats,
} from 'node:fs';
import { setImmediate as otherWork } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ReadableFile } from './readable-file.ts';

/** More bytes are read in a thread: copying them, or waiting for a disk, would delay other work. */
const MAX_SYNCHRONOUS_BYTES = 128 * 1024;
/** After this number of synchronous calls, other work has its turn. */
const CALLS_AT_ONCE = 32;

const readvInThread = promisify(readv);
let calls = 0;

/**
 * An open file of a disk or of the memory of this machine. Its small reads are synchronous: such a call needs a
 * tenth of the CPU time of a call in a thread, and a new file needs some twenty of them.
 */
export class LocalFile implements ReadableFile {
  readonly #descriptor: number;

  /** Throws the error of the file system. */
  constructor(path: string, flags: number) {
    this.#descriptor = openSync(path, flags);
  }

  async read(buffer: Uint8Array, offset: number, length: number, position: number) {
    return this.readv([buffer.subarray(offset, offset + length)], position);
  }

  async readv(buffers: readonly Uint8Array[], position: number) {
    await yieldSometimes();
    if (this.#isLarge(buffers, position)) return readvInThread(this.#descriptor, buffers, position);
    const [only] = buffers;
    if (only !== undefined && buffers.length === 1)
      return { bytesRead: readSync(this.#descriptor, only, 0, only.length, position) };
    return { bytesRead: readvSync(this.#descriptor, buffers, position) };
  }

  stat(): Promise<Stats>;
  stat(options: { readonly bigint: true }): Promise<BigIntStats>;
  async stat(options?: { readonly bigint: true }): Promise<Stats | BigIntStats> {
    return options === undefined ? fstatSync(this.#descriptor) : fstatSync(this.#descriptor, options);
  }

  async close(): Promise<void> {
    closeSync(this.#descriptor);
  }

  /** Whether more bytes would be read than without a thread. A buffer is often larger than the rest of its file. */
  #isLarge(buffers: readonly Uint8Array[], position: number): boolean {
    const room = buffers.reduce((sum, { length }) => sum + length, 0);
    if (room <= MAX_SYNCHRONOUS_BYTES) return false;
    return fstatSync(this.#descriptor).size - position > MAX_SYNCHRONOUS_BYTES;
  }
}

async function yieldSometimes(): Promise<void> {
  if (++calls % CALLS_AT_ONCE === 0) await otherWork();
}
