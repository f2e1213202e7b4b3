import { closeSync, copyFileSync, openSync, renameSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../random.ts';
import { numberedLine } from './numbered-line.ts';

/** What the collector is to tail. */
export const CHAOS_GLOBS = ['*.log', '*.log.*', '*.log-*'];

export interface WrittenLog {
  readonly name: string;
  readonly lines: number;
  readonly bytes: number;
  readonly rotations: number;
}

/**
 * What a rotated log is called. `counted`, as logrotate does it by itself: `x.log.1` is the youngest, and all others
 * move up. `dated`: `x.log-1700000001`, and it keeps that name.
 */
export type RotationNames = 'counted' | 'dated';

const TICK_MS = 20;
const FIRST_DATE = 1_700_000_000;
/** A shorter file cannot be told from its copy by content. */
const COPYTRUNCATE_MIN_BYTES = 4096;

/**
 * Appends numbered lines to several logs, in bursts, sometimes half a line first and its rest a moment later, and
 * rotates them: by rename, or by copy and truncate. Rotated logs keep matching `CHAOS_GLOBS`. The writer itself is never
 * killed: it is what the outcome is measured by.
 */
export class ChaosWriter {
  readonly #logs: Log[];
  readonly #random: Random;
  #timer: NodeJS.Timeout | undefined;

  constructor(directory: string, names: readonly string[], random: Random) {
    this.#logs = names.map((name, index) => new Log(directory, name, index % 2 === 0 ? 'counted' : 'dated'));
    this.#random = random;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Ends what was half written. */
  stop(): readonly WrittenLog[] {
    clearInterval(this.#timer);
    for (const log of this.#logs) log.finishLine();
    return this.#logs.map(({ name, lines, bytes, rotations }) => ({ name, lines, bytes, rotations }));
  }

  #tick(): void {
    for (const log of this.#logs) {
      log.finishLine();
      if (this.#random.chance(0.4)) this.#write(log);
      if (this.#random.chance(0.015)) this.#rotate(log);
    }
  }

  #write(log: Log): void {
    const lines = this.#random.chance(0.01) ? this.#random.between(1000, 8000) : this.#random.between(1, 25);
    log.append(lines, this.#random.chance(0.2));
  }

  #rotate(log: Log): void {
    log.finishLine();
    if (this.#random.chance(0.3) && log.size >= COPYTRUNCATE_MIN_BYTES) log.copyAndTruncate();
    else log.rename();
  }
}

class Log {
  readonly name: string;
  readonly #path: string;
  readonly #rotationNames: RotationNames;
  #rest = '';
  lines = 0;
  bytes = 0;
  rotations = 0;

  constructor(directory: string, name: string, rotationNames: RotationNames) {
    this.name = name;
    this.#path = join(directory, `${name}.log`);
    this.#rotationNames = rotationNames;
    closeSync(openSync(this.#path, 'a'));
  }

  get size(): number {
    return statSync(this.#path).size;
  }

  append(count: number, holdBack: boolean): void {
    let text = '';
    for (let i = 0; i < count; i++) text += numberedLine(this.name, this.lines++);
    const cut = holdBack ? text.length - 5 : text.length;
    this.#rest = text.slice(cut);
    this.#write(text.slice(0, cut));
  }

  finishLine(): void {
    if (this.#rest !== '') this.#write(this.#rest);
    this.#rest = '';
  }

  rename(): void {
    renameSync(this.#path, this.#freePath());
    closeSync(openSync(this.#path, 'a'));
  }

  /** Nothing is written in between: with this kind of rotation that would be the log's own loss. */
  copyAndTruncate(): void {
    copyFileSync(this.#path, this.#freePath());
    truncateSync(this.#path);
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
