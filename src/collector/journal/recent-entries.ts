import type { RecordBatch } from '../../records/record-batch.ts';

/**
 * The entries that were written last. A publisher that keeps up takes them from here and need not read them back from
 * the disk, which for many small ones costs more than everything else. Of those that it has taken, only the check of
 * their end is wanted again: they make room first.
 */
export class RecentEntries {
  readonly #maxBytes: number;
  /** By channel and position; oldest first. */
  readonly #fresh = new Map<string, RecordBatch>();
  readonly #taken = new Map<string, RecordBatch>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(channel: number, start: number): RecordBatch | undefined {
    const key = keyOf(channel, start);
    return this.#fresh.get(key) ?? this.#taken.get(key);
  }

  /** Once it is committed. Its `start` is the position in the channel. */
  add(channel: number, entry: RecordBatch): void {
    this.#fresh.set(keyOf(channel, entry.start), entry);
    this.#bytes += heldBytes(entry);
    this.#makeRoom(this.#taken);
    this.#makeRoom(this.#fresh);
  }

  /** It has been read for publishing. */
  taken(channel: number, start: number): void {
    const key = keyOf(channel, start);
    const entry = this.#fresh.get(key);
    if (entry === undefined) return;
    this.#fresh.delete(key);
    this.#taken.set(key, entry);
  }

  /** It is accepted. */
  remove(channel: number, start: number): void {
    const key = keyOf(channel, start);
    for (const entries of [this.#fresh, this.#taken]) {
      const entry = entries.get(key);
      if (entry === undefined) continue;
      entries.delete(key);
      this.#bytes -= heldBytes(entry);
    }
  }

  #makeRoom(entries: Map<string, RecordBatch>): void {
    for (const [key, oldest] of entries) {
      if (this.#bytes <= this.#maxBytes) return;
      entries.delete(key);
      this.#bytes -= heldBytes(oldest);
    }
  }
}

function keyOf(channel: number, start: number): string {
  return `${channel} ${start}`;
}

/** The data may be a part of a larger buffer, which is held with it. */
function heldBytes({ data, sizes }: RecordBatch): number {
  return data.buffer.byteLength + sizes.buffer.byteLength;
}
