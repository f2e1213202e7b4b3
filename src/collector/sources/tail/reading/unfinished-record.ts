import { crc32 } from 'node:zlib';
import type { Position } from '../../../../records/position.ts';

/**
 * The bytes after the last record that was read, while the end of their record is missing. A program may
 * change them without a change of the file's size: it writes over NUL bytes, or over its own last line. Each
 * change begins the wait for the end of the record again.
 */
export class UnfinishedRecord {
  #seen: SeenBytes | undefined;

  /** The time for which the bytes are unchanged; undefined when they were not seen before. */
  unchangedMs(rest: UnfinishedBytes, nowMs: number): number | undefined {
    if (this.#seen?.from !== rest.from) return undefined;
    this.see(rest, nowMs);
    return nowMs - this.#seen.sinceMs;
  }

  /** These bytes wait for the end of their record. */
  see({ from, bytes, nulsEnd }: UnfinishedBytes, nowMs: number): void {
    const seen = { from, length: bytes.length, nulsEnd, crc32: crc32(bytes), sinceMs: nowMs };
    if (this.#seen === undefined || !areEqual(this.#seen, seen)) this.#seen = seen;
  }
}

export interface UnfinishedBytes {
  readonly from: Position;
  readonly bytes: Buffer;
  /** The end of the NUL bytes that follow, when other bytes are after them. */
  readonly nulsEnd?: Position | undefined;
}

interface SeenBytes {
  readonly from: Position;
  readonly length: number;
  readonly nulsEnd: Position | undefined;
  readonly crc32: number;
  /** Monotonic. */
  readonly sinceMs: number;
}

function areEqual(a: SeenBytes, b: SeenBytes): boolean {
  return a.from === b.from && a.length === b.length && a.nulsEnd === b.nulsEnd && a.crc32 === b.crc32;
}
