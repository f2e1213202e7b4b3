import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { HELD_BACK_BYTES, LATE_MS } from './late-lines.ts';
import { numberedLine } from './numbered-line.ts';

/**
 * The names of rotated logs. `counted`, the default of logrotate: `x.log.1` is the newest, and the numbers of
 * all others increase. `dated`: `x.log-1700000001`, which keeps its name.
 */
export type RotationNames = 'counted' | 'dated';

export interface ChaosLogPlan {
  readonly name: string;
  /** The directory that the collector watches. */
  readonly directory: string;
  readonly rotationNames: RotationNames;
  /** The file is in this directory, and `directory` contains only a link to it. */
  readonly targetDirectory?: string;
}

const FIRST_DATE = 1_700_000_000;

/**
 * One log with its generations. A rotated generation is in the directory of the file, beside the target of a
 * link.
 */
export class ChaosLog {
  readonly name: string;
  readonly #path: string;
  readonly #rotationNames: RotationNames;
  #unwrittenText = '';
  #heldBackMs = 0;
  #unwrittenGzip: { readonly path: string; readonly bytes: Buffer } | undefined;
  lines = 0;
  frames = 0;
  bytes = 0;
  rotations = 0;
  /** Lines that a collector may have sent in two parts (`LateLines`). */
  readonly late: string[] = [];

  constructor({ name, directory, rotationNames, targetDirectory }: ChaosLogPlan) {
    this.name = name;
    this.#path = join(targetDirectory ?? directory, `${name}.log`);
    this.#rotationNames = rotationNames;
    mkdirSync(dirname(this.#path), { recursive: true });
    closeSync(openSync(this.#path, 'a'));
    if (targetDirectory !== undefined) symlinkSync(this.#path, join(directory, `${name}.log`));
  }

  /** Of the current generation. */
  get path(): string {
    return this.#path;
  }

  /** Size of the current generation in bytes. */
  get size(): number {
    return statSync(this.#path).size;
  }

  /** With `holdBack`, the last bytes of the last line are written by `finishLine`. */
  append(count: number, holdBack = false): void {
    let text = '';
    for (let i = 0; i < count; i++) text += numberedLine(this.name, this.lines++);
    const cut = holdBack ? text.length - HELD_BACK_BYTES : text.length;
    this.#heldBackMs = performance.now();
    this.#unwrittenText = text.slice(cut);
    this.#write(text.slice(0, cut));
  }

  /** A line without a number, which is equal in all generations. */
  appendFrame(line: string): void {
    this.frames += 1;
    this.#write(line);
  }

  finishLine(): void {
    if (this.#unwrittenText !== '') {
      this.#write(this.#unwrittenText);
      // Measured after the write, which may wait for the disk.
      const isLate = performance.now() - this.#heldBackMs >= LATE_MS;
      if (isLate) this.late.push(numberedLine(this.name, this.lines - 1).slice(0, -1));
    }
    this.#unwrittenText = '';
    if (this.#unwrittenGzip !== undefined)
      appendFileSync(this.#unwrittenGzip.path, this.#unwrittenGzip.bytes);
    this.#unwrittenGzip = undefined;
  }

  rename(): string {
    const rotated = this.#freePath();
    renameSync(this.#path, rotated);
    closeSync(openSync(this.#path, 'a'));
    return rotated;
  }

  /**
   * Nothing is written between copy and truncation: with this kind of rotation, the log itself would lose it.
   */
  copyAndTruncate(): void {
    copyFileSync(this.#path, this.#freePath());
    truncateSync(this.#path);
  }

  /**
   * Puts a compressed copy beside a rotated generation, as `gzip -k` does. `finishLine` writes its second
   * half.
   */
  compress(rotated: string): void {
    const bytes = gzipSync(readFileSync(rotated));
    const half = Math.floor(bytes.length / 2);
    const path = `${rotated}.gz`;
    writeFileSync(path, bytes.subarray(0, half));
    this.#unwrittenGzip = { path, bytes: bytes.subarray(half) };
  }

  #freePath(): string {
    this.rotations += 1;
    if (this.#rotationNames === 'dated') return `${this.#path}-${FIRST_DATE + this.rotations}`;
    for (let count = this.rotations - 1; count > 0; count--) {
      renameSync(`${this.#path}.${count}`, `${this.#path}.${count + 1}`);
    }
    return `${this.#path}.1`;
  }

  #write(text: string): void {
    const file = openSync(this.#path, 'a');
    try {
      this.bytes += writeSync(file, text, null, 'latin1');
    } finally {
      closeSync(file);
    }
  }
}
