import type { Clock } from '../runtime/clock.ts';

/**
 * Spreads bursts of datagrams: the socket buffer of a receiver has some hundred kilobytes, and datagrams are
 * lost silently when it is full.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #pauseMs: number;
  #sent = 0;
  #sinceMs = 0;

  constructor(clock: Clock, { burst = 16, pauseMs = 1 }: PacerOptions = {}) {
    this.#clock = clock;
    this.#burst = burst;
    this.#pauseMs = pauseMs;
  }

  /** Called before each packet: returns undefined to send now, or a promise of the end of the pause. */
  next(): Promise<void> | undefined {
    if (this.#burst === 0) return undefined;
    const now = this.#clock.monotonicMs();
    if (now - this.#sinceMs >= this.#pauseMs) this.#begin(now);
    if (this.#sent < this.#burst) {
      this.#sent++;
      return undefined;
    }
    return this.#clock.sleep(this.#pauseMs).then(() => {
      this.#begin(this.#clock.monotonicMs());
      this.#sent = 1;
    });
  }

  #begin(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#sent = 0;
  }
}

export interface PacerOptions {
  /** Number of packets sent before a pause. Default 16; 0: no pauses. */
  readonly burst?: number | undefined;
  /** Default 1 ms. */
  readonly pauseMs?: number | undefined;
}
