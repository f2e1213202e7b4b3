import { basename, dirname, join } from 'node:path';
import type { Random } from '../../testkit/random.ts';
import { ChaosLog } from './chaos-log.ts';
import { BANNER, TRAILER } from './frame-line.ts';
import { UNIFORM_LOG } from './numbered-line.ts';

/** The patterns that the collector follows. */
export const CHAOS_GLOBS = ['*.log', '*.log.*', '*.log-*'];

export interface WrittenLog {
  readonly name: string;
  /** The number of its first line. Default: 0. */
  readonly first?: number;
  /** Numbered lines. */
  readonly lines: number;
  /** Lines that are equal in all generations. */
  readonly frames: number;
  readonly bytes: number;
  readonly rotations: number;
  /** Lines that a collector may have sent in two parts (`LateLines`). */
  readonly late?: readonly string[];
}

/** The actions of a log in one tick. */
type Behaviour = (random: Random) => void;

const TICK_MS = 20;
/** Copies of shorter files have too few bytes to be recognized by their content. */
const COPYTRUNCATE_MIN_BYTES = 4096;
const UNIFORM_LINES = 400;
/**
 * Longer than a fault: a generation next to the target of a link matches no pattern, so the collector must
 * have seen it through the link once.
 */
const LINKED_ROTATION_TICKS = 15_000 / TICK_MS;

/**
 * Appends numbered lines to several logs and rotates them. The writer itself is never killed: the output is
 * compared with it. All generations match `CHAOS_GLOBS`, except those of the linked log.
 *
 *     plain     bursts, sometimes half a line first; rotated by rename, or by copy and truncate; dated generations get
 *               a compressed copy, which is incomplete for a while
 *     linked    the file is in another directory, and a link points to it
 *     uniform   the renamed generations have the same size, the same first KiB and the same last bytes; sometimes one is
 *               copied and truncated before it is complete
 */
export class ChaosWriter {
  /** Where the files are that links lead to. */
  readonly targetDirectory: string;
  readonly #logs: { readonly log: ChaosLog; readonly behave: Behaviour }[];
  readonly #random: Random;
  #timer: NodeJS.Timeout | undefined;

  constructor(directory: string, names: readonly string[], random: Random) {
    const plain = names.map((name, index) => {
      const rotationNames = index % 2 === 0 ? 'counted' : 'dated';
      const log = new ChaosLog({ name, directory, rotationNames });
      return { log, behave: plainBehaviour(log, rotationNames === 'dated') };
    });
    const targetDirectory = join(directory, '..', 'targets');
    this.targetDirectory = targetDirectory;
    const linked = new ChaosLog({ name: 'linked', directory, rotationNames: 'counted', targetDirectory });
    const uniform = new ChaosLog({ name: UNIFORM_LOG, directory, rotationNames: 'counted' });
    this.#logs = [
      ...plain,
      { log: linked, behave: linkedBehaviour(linked) },
      { log: uniform, behave: uniformBehaviour(uniform) },
    ];
    this.#random = random;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Until `start`: all lines are complete, and no log is shorter than this. */
  pause(minBytes: number): void {
    this.stop();
    for (const { log } of this.#logs) while (log.size < minBytes) log.append(1);
  }

  /** The logs as they are now, in copies of their directories. */
  places(
    copies: readonly { readonly original: string; readonly copy: string }[],
  ): { readonly name: string; readonly lines: number; readonly path: string }[] {
    return this.#logs.map(({ log: { name, lines, path } }) => {
      const copy = copies.find(({ original }) => original === dirname(path))?.copy ?? '';
      return { name, lines, path: join(copy, basename(path)) };
    });
  }

  /** Completes unfinished lines. */
  stop(): readonly WrittenLog[] {
    clearInterval(this.#timer);
    for (const { log } of this.#logs) log.finishLine();
    return this.#logs.map(({ log: { name, lines, frames, bytes, rotations, late } }) => ({
      ...{ name, lines, frames, bytes, rotations, late },
    }));
  }

  #tick(): void {
    for (const { log, behave } of this.#logs) {
      log.finishLine();
      behave(this.#random);
    }
  }
}

function appendSome(log: ChaosLog, random: Random): void {
  if (!random.chance(0.4)) return;
  const lines = random.chance(0.01) ? random.between(1000, 8000) : random.between(1, 25);
  log.append(lines, random.chance(0.2));
}

function plainBehaviour(log: ChaosLog, compresses: boolean): Behaviour {
  return (random) => {
    appendSome(log, random);
    if (!random.chance(0.015)) return;
    log.finishLine();
    if (random.chance(0.3) && log.size >= COPYTRUNCATE_MIN_BYTES) log.copyAndTruncate();
    else {
      const rotated = log.rename();
      if (compresses && random.chance(0.5)) log.compress(rotated);
    }
  };
}

function linkedBehaviour(log: ChaosLog): Behaviour {
  let ticksLeft = LINKED_ROTATION_TICKS;
  return (random) => {
    appendSome(log, random);
    if (--ticksLeft > 0) return;
    ticksLeft = LINKED_ROTATION_TICKS;
    log.finishLine();
    log.rename();
  };
}

function uniformBehaviour(log: ChaosLog): Behaviour {
  let linesLeft = UNIFORM_LINES;
  log.appendFrame(BANNER);
  return (random) => {
    const lines = random.chance(0.4) ? Math.min(linesLeft, random.between(1, 25)) : 0;
    if (lines > 0) log.append(lines);
    linesLeft -= lines;
    const isComplete = linesLeft === 0;
    if (!isComplete && !(random.chance(0.004) && log.size >= COPYTRUNCATE_MIN_BYTES)) return;
    if (isComplete) {
      log.appendFrame(TRAILER);
      log.rename();
    } else log.copyAndTruncate();
    log.appendFrame(BANNER);
    linesLeft = UNIFORM_LINES;
  };
}
