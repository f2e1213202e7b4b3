import { join } from 'node:path';
import type { Random } from '../../../testkit/random.ts';
import { numberedLine } from '../numbered-line.ts';
import { hasZstd, RotatingLog, type RotationPlan } from './rotating-log.ts';

/** The logs, and how each is rotated. */
const PLANS: Readonly<Record<string, RotationPlan>> = {
  atonce: { names: 'counted', ending: '.gz', isDelayed: false, isCopied: false },
  dated: { names: 'dated', ending: '.gz', isDelayed: false, isCopied: false },
  delayed: { names: 'counted', ending: '.gz', isDelayed: true, isCopied: false },
  zstandard: { names: 'counted', ending: '.zst', isDelayed: false, isCopied: false },
  zdelayed: { names: 'dated', ending: '.zst', isDelayed: true, isCopied: false },
  copied: { names: 'counted', ending: '.gz', isDelayed: true, isCopied: true },
};
/** Shorter files have too few bytes to be recognized by their content. */
const MIN_BYTES = 4096;
const HELD_BACK_BYTES = 5;

/** Appends numbered lines to several logs, some of them in two pieces, and rotates them. */
export class RotationWriter {
  readonly #logs: RotatingLog[];
  readonly #lines = new Map<string, number>();
  readonly #random: Random;
  readonly #unwritten = new Map<RotatingLog, string>();

  constructor(directory: string, random: Random) {
    this.#random = random;
    this.#logs = Object.entries(PLANS).map(([name, plan]) => {
      const ending = hasZstd() ? plan.ending : '.gz';
      return new RotatingLog(join(directory, `${name}.log`), { ...plan, ending });
    });
  }

  tick(): void {
    for (const log of this.#logs) {
      this.#finishLine(log);
      log.continueCompressing();
      if (this.#random.chance(0.4))
        this.#append(log, this.#random.chance(0.01) ? 2000 : this.#random.between(1, 25));
      if (!this.#random.chance(0.015) || log.sizeBytes < MIN_BYTES) continue;
      this.#finishLine(log);
      log.rotate();
    }
  }

  /** Completes lines and archives. */
  finish(): void {
    for (const log of this.#logs) {
      this.#finishLine(log);
      while (log.continueCompressing());
    }
  }

  get written(): readonly { readonly name: string; readonly lines: number }[] {
    return this.#logs.map(({ name }) => ({ name, lines: this.#lines.get(name) ?? 0 }));
  }

  get rotations(): number {
    return this.#logs.reduce((sum, { rotations }) => sum + rotations, 0);
  }

  get archives(): number {
    return this.#logs.reduce((sum, { archives }) => sum + archives, 0);
  }

  #append(log: RotatingLog, count: number): void {
    const first = this.#lines.get(log.name) ?? 0;
    let text = '';
    for (let number = first; number < first + count; number++) text += numberedLine(log.name, number);
    this.#lines.set(log.name, first + count);
    const cut = this.#random.chance(0.2) ? text.length - HELD_BACK_BYTES : text.length;
    log.append(text.slice(0, cut));
    this.#unwritten.set(log, text.slice(cut));
  }

  #finishLine(log: RotatingLog): void {
    const rest = this.#unwritten.get(log) ?? '';
    if (rest !== '') log.append(rest);
    this.#unwritten.set(log, '');
  }
}
