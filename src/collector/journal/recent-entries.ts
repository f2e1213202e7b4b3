import type { RecordBatch } from '../../records/record-batch.ts';

/**
 * The entries that were written last. A publisher that keeps up takes them from here and need not read them back from
 * the disk, which for many small ones costs more than everything else.
 */
export class RecentEntries {
  readonly #maxBytes: number;
  /** By channel and position; written last comes last. */
  readonly #entries = new Map<string, RecordBatch>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(channel: number, start: number): RecordBatch | undefined {
    return this.#entries.get(keyOf(channel, start));
  }

  /** Once it is committed. Its `start` is the position in the channel. */
  add(channel: number, entry: RecordBatch): void {
    this.remove(channel, entry.start);
    this.#entries.set(keyOf(channel, entry.start), entry);
    this.#bytes += heldBytes(entry);
    for (const [key, oldest] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#entries.delete(key);
      this.#bytes -= heldBytes(oldest);
    }
  }

  remove(channel: number, start: number): void {
    const key = keyOf(channel, start);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= heldBytes(entry);
  }
}

function keyOf(channel: number, start: number): string {
  return `${channel} ${start}`;
}

/** The data may be a part of a larger buffer, which is held with it. */
function heldBytes({ data, sizes }: RecordBatch): number {
  return data.buffer.byteLength + sizes.buffer.byteLength;
}
