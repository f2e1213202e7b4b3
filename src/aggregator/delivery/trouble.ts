import type { Clock } from '../../runtime/clock.ts';
import { retryDelayMs } from './retry-delay.ts';

export interface TroubleOptions {
  readonly clock: Clock;
  readonly retryCount: number;
  readonly retryDelayMs: number;
  readonly random: () => number;
}

export interface TroubleReport {
  readonly reason: string;
  /** In a row. */
  readonly failures: number;
  readonly sinceUnixNano: bigint;
  /** The retries are used up, or it is a case for a person right away. */
  readonly isHolding: boolean;
}

/** Failures in a row: since when, how many, how long to wait before the next attempt. */
export class Trouble {
  readonly #options: TroubleOptions;
  #report: TroubleReport | undefined;
  /** Those that `retryCount` is about. */
  #retries = 0;

  constructor(options: TroubleOptions) {
    this.#options = options;
  }

  get report(): TroubleReport | undefined {
    return this.#report;
  }

  failed({ reason, afterMs, mustHold = false }: Failure): { report: TroubleReport; delayMs: number } {
    const { clock, retryCount } = this.#options;
    if (!mustHold) this.#retries++;
    const report: TroubleReport = {
      reason,
      failures: (this.#report?.failures ?? 0) + 1,
      sinceUnixNano: this.#report?.sinceUnixNano ?? clock.nowUnixNano(),
      isHolding: mustHold || this.#retries >= retryCount,
    };
    this.#report = report;
    return { report, delayMs: this.delayMs(report.failures, afterMs) };
  }

  delayMs(failures: number, afterMs?: number): number {
    const { retryDelayMs: baseMs, random } = this.#options;
    return retryDelayMs({ failures, baseMs, afterMs, random });
  }

  over(): TroubleReport | undefined {
    const report = this.#report;
    this.#report = undefined;
    this.#retries = 0;
    return report;
  }
}

export interface Failure {
  readonly reason: string;
  readonly afterMs?: number | undefined;
  /** It is a case for a person right away, and nothing is given up for it. */
  readonly mustHold?: boolean;
}
