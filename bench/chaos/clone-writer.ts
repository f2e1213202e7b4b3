import { appendFileSync } from 'node:fs';
import type { Random } from '../../testkit/random.ts';
import type { WrittenLog } from './chaos-writer.ts';
import { numberedLine } from './numbered-line.ts';

/** A log at the moment at which it was copied. */
export interface CopiedLog {
  readonly name: string;
  /** The copy. */
  readonly path: string;
  /** How many numbered lines are in the log and its rotated files. */
  readonly lines: number;
}

const TICK_MS = 40;

interface Written {
  readonly log: CopiedLog;
  readonly name: string;
  lines: number;
  bytes: number;
}

/**
 * Continues copies of logs. Its lines have the numbers that the original continues with too, and names of the same
 * length: at equal positions the two files have lines of the same length that differ in the name only.
 */
export class CloneWriter {
  readonly #logs: readonly Written[];
  readonly #random: Random;
  #timer: NodeJS.Timeout | undefined;

  /** `number`: of the clone, one digit. */
  constructor(logs: readonly CopiedLog[], number: number, random: Random) {
    this.#logs = logs.map((log) => ({ log, name: cloneName(log.name, number), lines: 0, bytes: 0 }));
    this.#random = random;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  stop(): readonly WrittenLog[] {
    clearInterval(this.#timer);
    return this.#logs.map(({ log, name, lines, bytes }) => ({
      ...{ name, first: log.lines, lines, bytes, frames: 0, rotations: 0 },
    }));
  }

  #tick(): void {
    for (const written of this.#logs) {
      if (!this.#random.chance(0.4)) continue;
      const { log, name } = written;
      let text = '';
      for (let left = this.#random.between(1, 25); left > 0; left--)
        text += numberedLine(name, log.lines + written.lines++);
      appendFileSync(log.path, text);
      written.bytes += text.length;
    }
  }
}

/** A name of the same length. */
function cloneName(name: string, number: number): string {
  return `${name.slice(0, -1)}${number}`;
}
