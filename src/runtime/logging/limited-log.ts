import type { Logger } from 'pino';
import type { Cancel, Clock } from '../clock.ts';

/**
 * A log for lines that a peer can cause without limit. It writes the first lines of each message and party;
 * of further lines within the interval it writes only the last, at the end, with their number as `count`.
 */
export class LimitedLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #burst: number;
  readonly #intervals = new Map<string, Interval>();

  constructor(logger: Logger, clock: Clock, { intervalMs = INTERVAL_MS, burst = 1 }: LimitedLogOptions = {}) {
    this.#logger = logger;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#burst = burst;
  }

  write(line: LimitedLine): void {
    const key = this.#keyOf(line);
    const interval = this.#intervals.get(key);
    if (interval === undefined) this.#begin(key, line);
    else if (interval.written < this.#burst) {
      interval.written++;
      this.#logger[line.level](line.fields, line.message);
    } else {
      interval.heldBack++;
      interval.last = line;
    }
  }

  /** Writes the pending lines. */
  flush(): void {
    for (const [key, interval] of this.#intervals) this.#end(key, interval);
  }

  #keyOf({ message, party }: LimitedLine): string {
    const key = `${message}\0${party}`;
    if (this.#intervals.has(key) || this.#intervals.size < MAX_INTERVALS) return key;
    return `${message}\0${OTHERS}`;
  }

  #begin(key: string, line: LimitedLine): void {
    const cancel = this.#clock.after(this.#intervalMs, () => {
      const interval = this.#intervals.get(key);
      if (interval !== undefined) this.#end(key, interval);
    });
    this.#intervals.set(key, { cancel, written: 1, heldBack: 0, last: line });
    this.#logger[line.level](line.fields, line.message);
  }

  #end(key: string, { cancel, heldBack, last }: Interval): void {
    cancel();
    this.#intervals.delete(key);
    if (heldBack > 0) this.#logger[last.level]({ ...last.fields, count: heldBack }, last.message);
  }
}

export interface LimitedLine {
  readonly level: 'info' | 'warn' | 'error';
  /** The party that causes the line; each has its own limit, up to a number of parties. */
  readonly party: string;
  readonly fields: object;
  readonly message: string;
}

export interface LimitedLogOptions {
  readonly intervalMs?: number;
  /** Number of lines of one message and party before the limit applies. */
  readonly burst?: number;
}

interface Interval {
  readonly cancel: Cancel;
  written: number;
  heldBack: number;
  last: LimitedLine;
}

const INTERVAL_MS = 60_000;
const MAX_INTERVALS = 256;
const OTHERS = 'others';
