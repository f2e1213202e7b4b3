import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { EventLimiter, type EventLimiterOptions } from './event-limiter.ts';

/**
 * A log for lines that a peer can cause without limit. It writes the first lines of each message and party;
 * of further lines within the interval it writes only the last, at the end, with their number as `count`.
 */
export class LimitedLog {
  readonly #lines: EventLimiter<LimitedLine & { readonly kind: string }>;

  constructor(logger: Logger, clock: Clock, options: LimitedLogOptions = {}) {
    const { intervalMs = INTERVAL_MS, sum = 'count' } = options;
    this.#lines = new EventLimiter(clock, { ...options, intervalMs }, (line, count, wasHeldBack) => {
      const { level, fields, message, isOutdated } = line;
      if (!wasHeldBack) logger[level](fields, message);
      else if (isOutdated?.() !== true) logger[level]({ ...fields, [sum]: count }, message);
    });
  }

  /** `amount` is added to the number of lines. */
  write(line: LimitedLine, amount = 1): void {
    this.#lines.emit({ ...line, kind: line.kind ?? line.message }, amount);
  }

  /** Writes the pending lines. */
  flush(): void {
    this.#lines.flush();
  }
}

export interface LimitedLine {
  readonly level: 'info' | 'warn' | 'error';
  /** The party that causes the line; each has its own limit, up to a number of parties. */
  readonly party: string;
  readonly fields: object;
  readonly message: string;
  /** The lines that share a limit; the message by default. Needed if the message varies. */
  readonly kind?: string;
  /** A line that was held back is dropped if this returns true. */
  readonly isOutdated?: () => boolean;
}

export interface LimitedLogOptions extends Partial<EventLimiterOptions> {
  /** The field for the number of lines that were held back, `count` by default. */
  readonly sum?: string;
}

const INTERVAL_MS = 60_000;
