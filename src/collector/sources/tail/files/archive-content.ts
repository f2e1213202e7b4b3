import { crc32 } from 'node:zlib';
import type { Position } from '../../../../records/position.ts';
import { FilePrefix, PREFIX_MAX_BYTES } from './file-prefix.ts';
import { forEachChunk, type InflateLimits } from './inflate-file.ts';

/** The facts about the whole content of an archive. */
export interface ArchiveContent {
  readonly beginning: FilePrefix;
  readonly sizeBytes: number;
  /** The CRC-32 of the bytes before each requested position, if the content is that long. */
  readonly checksumAt: ReadonlyMap<Position, number>;
}

/**
 * Inflates an archive without keeping its content: an archive whose end is not written yet, or that is damaged, is
 * known before a byte of it is sent. Returns the reason if it cannot be inflated.
 */
export async function measureArchive(
  path: string,
  { positions, ...limits }: InflateLimits & { readonly positions: Iterable<Position> },
): Promise<ArchiveContent | string> {
  const measured = new Measured(positions);
  const problem = await forEachChunk(path, limits, (chunk) => measured.add(chunk));
  return problem ?? measured.result();
}

/** The first KiB of the content, as far as it can be inflated. */
export async function readArchiveBeginning(path: string, inode: string): Promise<FilePrefix> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  await forEachChunk(path, { maxBytes: Number.POSITIVE_INFINITY, inode }, (chunk) => {
    pieces.push(chunk);
    length += chunk.length;
    if (length >= PREFIX_MAX_BYTES) throw new Error('enough');
  });
  return new FilePrefix(Buffer.concat(pieces).subarray(0, PREFIX_MAX_BYTES));
}

class Measured {
  readonly #wanted: Position[];
  readonly #checksumAt = new Map<Position, number>();
  #beginning: Buffer = Buffer.alloc(0);
  #sizeBytes = 0;
  #crc32 = 0;

  constructor(positions: Iterable<Position>) {
    this.#wanted = [...new Set(positions)].sort((a, b) => a - b);
    this.#note();
  }

  add(chunk: Uint8Array): void {
    if (this.#beginning.length < PREFIX_MAX_BYTES)
      this.#beginning = Buffer.concat([this.#beginning, chunk]).subarray(0, PREFIX_MAX_BYTES);
    for (let rest = chunk; rest.length > 0; ) {
      const length = Math.min(rest.length, (this.#wanted[0] ?? Number.POSITIVE_INFINITY) - this.#sizeBytes);
      this.#crc32 = crc32(rest.subarray(0, length), this.#crc32);
      this.#sizeBytes += length;
      rest = rest.subarray(length);
      this.#note();
    }
  }

  result(): ArchiveContent {
    this.#checksumAt.set(this.#sizeBytes, this.#crc32);
    const beginning = new FilePrefix(Buffer.from(this.#beginning));
    return { beginning, sizeBytes: this.#sizeBytes, checksumAt: this.#checksumAt };
  }

  #note(): void {
    if (this.#wanted[0] !== this.#sizeBytes) return;
    this.#checksumAt.set(this.#sizeBytes, this.#crc32);
    this.#wanted.shift();
  }
}
