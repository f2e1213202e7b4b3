import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';

/** How a log is rotated. */
export interface RotationPlan {
  /** `counted`: `x.log.1` is the newest. `dated`: `x.log-20260101-7`, which keeps its name. */
  readonly names: 'counted' | 'dated';
  readonly ending: '.gz' | '.zst';
  /** The newest rotated generation stays as it is until the next rotation. */
  readonly isDelayed: boolean;
  readonly isCopied: boolean;
}

const ENDINGS = ['', '.gz', '.zst'];
const ZSTD = '/usr/bin/zstd';

/** One file that is rotated, with its generations. Each is compressed as `gzip` does it: the archive first grows. */
export class RotatingLog {
  readonly path: string;
  readonly plan: RotationPlan;
  rotations = 0;
  archives = 0;
  #delayed: string | undefined;
  #writing: { readonly plain: string; readonly rest: Buffer[] } | undefined;

  constructor(path: string, plan: RotationPlan) {
    this.path = path;
    this.plan = plan;
    writeFileSync(path, '');
  }

  get sizeBytes(): number {
    return statSync(this.path).size;
  }

  append(text: string): void {
    appendFileSync(this.path, text);
  }

  rotate(): void {
    while (this.continueCompressing()) {
      // A rotation begins when the archive of the last one is complete.
    }
    this.rotations++;
    if (this.plan.isDelayed && this.#delayed !== undefined) this.#compress(this.#delayed);
    if (this.plan.isDelayed) while (this.continueCompressing());
    const rotated = this.#freePath();
    if (this.plan.isCopied) {
      copyFileSync(this.path, rotated);
      truncateSync(this.path);
    } else {
      renameSync(this.path, rotated);
      writeFileSync(this.path, '');
    }
    if (this.plan.isDelayed) this.#delayed = rotated;
    else this.#compress(rotated);
  }

  /** Writes the next piece of an archive. The plain file is removed after the last one. */
  continueCompressing(): boolean {
    const { plain, rest } = this.#writing ?? {};
    if (plain === undefined || rest === undefined) return false;
    const piece = rest.shift();
    const archive = `${plain}${this.plan.ending}`;
    if (piece !== undefined) {
      appendFileSync(archive, piece);
      return true;
    }
    const { atime, mtime } = statSync(plain);
    utimesSync(archive, atime, mtime);
    unlinkSync(plain);
    this.archives++;
    this.#writing = undefined;
    return true;
  }

  #compress(plain: string): void {
    const bytes = this.plan.ending === '.gz' ? gzipSync(readFileSync(plain)) : zstd(plain);
    const half = Math.floor(bytes.length / 2);
    this.#writing = { plain, rest: [bytes.subarray(0, half), bytes.subarray(half)] };
  }

  #freePath(): string {
    if (this.plan.names === 'dated') return `${this.path}-20260101-${1000 + this.rotations}`;
    for (let count = this.rotations - 1; count > 0; count--)
      for (const ending of ENDINGS) {
        const from = `${this.path}.${count}${ending}`;
        if (existsSync(from)) renameSync(from, `${this.path}.${count + 1}${ending}`);
      }
    return `${this.path}.1`;
  }

  get name(): string {
    return basename(this.path, '.log');
  }
}

export function hasZstd(): boolean {
  return existsSync(ZSTD);
}

function zstd(path: string): Buffer {
  return execFileSync(ZSTD, ['-q', '-c', path], { maxBuffer: 1 << 28 });
}
