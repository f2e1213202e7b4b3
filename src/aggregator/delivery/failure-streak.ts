import type { Clock } from '../../runtime/clock.ts';
import { retryDelayMs } from './retry-delay.ts';

/** Consecutive failures: start, number, and delay before the next attempt. */
export class FailureStreak {
  readonly #options: FailureStreakOptions;
  #report: FailureReport | undefined;
  /** Failures that count for `retryCount`. */
  #retries = 0;

  constructor(options: FailureStreakOptions) {
    this.#options = options;
  }

  get report(): FailureReport | undefined {
    return this.#report;
  }

  failed({ reason, afterMs, mustHold = false }: Failure): { report: FailureReport; delayMs: number } {
    const { clock, retryCount } = this.#options;
    if (!mustHold) this.#retries++;
    const report: FailureReport = {
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

  reset(): FailureReport | undefined {
    const report = this.#report;
    this.#report = undefined;
    this.#retries = 0;
    return report;
  }
}

export interface FailureStreakOptions {
  readonly clock: Clock;
  readonly retryCount: number;
  readonly retryDelayMs: number;
  readonly random: () => number;
}

export interface FailureReport {
  readonly reason: string;
  /** Consecutive failures. */
  readonly failures: number;
  readonly sinceUnixNano: bigint;
  /** The retries are used up, or an operator must act immediately. */
  readonly isHolding: boolean;
}

export interface Failure {
  readonly reason: string;
  readonly afterMs?: number | undefined;
  /** An operator must act immediately; records are never discarded for this. */
  readonly mustHold?: boolean;
}
