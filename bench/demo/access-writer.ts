import { createHash } from 'node:crypto';
import { appendFileSync, renameSync } from 'node:fs';
import type { Random } from '../../testkit/random.ts';
import { AccessLog } from '../access-log.ts';

/** The total written amount, over all generations of the log. */
export interface Written {
  readonly lines: number;
  readonly bytes: number;
  /** The hash of all bytes in the order in which they were written. */
  readonly sha256: string;
}

const TICK_MS = 50;
const ROTATE_EVERY_MS = 4000;

/** Writes the log of a web server: a few hundred requests a second, and a rotation every few seconds. */
export class AccessWriter {
  readonly #path: string;
  readonly #random: Random;
  readonly #log: AccessLog;
  readonly #onRotated: (to: string) => void;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #generation = 0;
  #timers: NodeJS.Timeout[] = [];

  constructor(path: string, random: Random, onRotated: (to: string) => void) {
    this.#path = path;
    this.#random = random;
    this.#log = new AccessLog(random.between(0, 1_000_000), Date.now);
    this.#onRotated = onRotated;
  }

  start(): void {
    this.#timers = [
      setInterval(() => this.#write(), TICK_MS),
      setInterval(() => this.#rotate(), ROTATE_EVERY_MS),
    ];
  }

  stop(): Written {
    for (const timer of this.#timers) clearInterval(timer);
    return { lines: this.#log.lines, bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }

  #write(): void {
    const lines = Array.from({ length: this.#random.between(5, 30) }, () => this.#log.line());
    const text = Buffer.from(lines.join(''), 'latin1');
    appendFileSync(this.#path, text);
    this.#hash.update(text);
    this.#bytes += text.length;
  }

  #rotate(): void {
    this.#generation += 1;
    const to = `${this.#path}.${this.#generation}`;
    renameSync(this.#path, to);
    this.#onRotated(to);
  }
}
