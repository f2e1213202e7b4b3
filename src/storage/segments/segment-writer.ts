import type { OpenFile } from '../state/file-system.ts';

/** The end of one segment file. */
export class SegmentWriter {
  readonly segment: number;
  /** Created since the last flush: the directory must be flushed too. */
  isNew = false;
  readonly #file: OpenFile;
  #size: number;
  #flushedSize: number;
  #closed = false;

  constructor(file: OpenFile, segment: number, size = 0) {
    this.#file = file;
    this.segment = segment;
    this.#size = size;
    this.#flushedSize = size;
  }

  get size(): number {
    return this.#size;
  }

  get flushedSize(): number {
    return this.#flushedSize;
  }

  /**
   * Writes all buffers in as many calls as needed. After a failure, some bytes after `size` may be written.
   */
  async write(buffers: readonly Uint8Array[]): Promise<void> {
    let rest = buffers.filter(({ length }) => length > 0);
    let position = this.#size;
    while (rest.length > 0) {
      const written = await this.#file.writev(rest.slice(0, MAX_BUFFERS), position);
      if (written === 0) throw new Error(`Cannot write at byte ${position}: the disk accepted no bytes`);
      position += written;
      rest = dropBytes(rest, written);
    }
    this.#size = position;
  }

  async flush(): Promise<void> {
    await this.#file.datasync();
    this.#flushedSize = this.#size;
  }

  async truncate(size: number): Promise<void> {
    await this.#file.truncate(size);
    this.#size = size;
    this.#flushedSize = Math.min(this.#flushedSize, size);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
  }
}

/** Linux accepts at most 1,024 buffers in one writev. */
const MAX_BUFFERS = 1024;

/** The buffers without their first bytes. */
export function dropBytes(buffers: readonly Uint8Array[], count: number): Uint8Array[] {
  let index = 0;
  let rest = count;
  for (; index < buffers.length; index++) {
    const { length } = buffers[index] as Uint8Array;
    if (length > rest) break;
    rest -= length;
  }
  const [first, ...others] = buffers.slice(index);
  return first === undefined ? [] : [rest === 0 ? first : first.subarray(rest), ...others];
}
