import type { Clock } from '../../runtime/clock.ts';

export interface StallBudgetOptions {
  /** How long a destination may delay the others. */
  readonly limitMs: number;
  /** Whether there are other destinations. A single destination has no limit. */
  readonly hasOthers: () => boolean;
  readonly clock: Clock;
}

/** The budget refills by a tenth of the time that passes. */
const REFILL = 0.1;
/** Deliveries up to this duration do not use the budget. */
const FREE_MS = 1_000;
/** Interval between attempts to reach a suspended destination. */
const RETRY_INTERVAL_MS = 30_000;

/**
 * Limits how long one destination may delay the others, which share its queue.
 *
 *     on time <-> stalling --budget used up--> suspended --an attempt (every 30 s) succeeds--> on time
 *
 * The budget is used from the start of a failed attempt to the end of the next successful one, and by the
 * part of a successful attempt that exceeds one second. It is not reset for each batch: a destination that is
 * always slow gets a tenth of the time.
 */
export class StallBudget {
  readonly #limitMs: number;
  readonly #hasOthers: () => boolean;
  readonly #clock: Clock;
  #leftMs: number;
  #refilledMs: number;
  /** Start of the current attempt, or of the first failed one. */
  #stalledSinceMs: number | undefined;
  #isSuspended = false;
  #nextTryMs = 0;

  constructor({ limitMs, hasOthers, clock }: StallBudgetOptions) {
    this.#limitMs = limitMs;
    this.#hasOthers = hasOthers;
    this.#clock = clock;
    this.#leftMs = limitMs;
    this.#refilledMs = clock.monotonicMs();
  }

  /** Suspended, and the time of the next attempt has not come. */
  get isResting(): boolean {
    return this.isSuspended && this.#clock.monotonicMs() < this.#nextTryMs;
  }

  get isSuspended(): boolean {
    return this.#isSuspended && this.#hasOthers();
  }

  /** The current attempt has used up the budget. */
  get isUsedUp(): boolean {
    return this.#left() <= 0 && this.#hasOthers();
  }

  begin(): void {
    if (this.#stalledSinceMs !== undefined) return;
    this.#refill();
    this.#stalledSinceMs = this.#clock.monotonicMs();
  }

  /** Returns true if the destination was suspended. */
  succeeded(): boolean {
    const wasSuspended = this.#isSuspended;
    const freeMs = wasSuspended ? 0 : FREE_MS;
    this.#leftMs = Math.max(Math.min(this.#left() + freeMs, this.#leftMs), 0);
    this.#stalledSinceMs = undefined;
    this.#refilledMs = this.#clock.monotonicMs();
    this.#isSuspended = false;
    return wasSuspended;
  }

  /** Returns true if the destination is now suspended. */
  failed(): boolean {
    if (!this.isSuspended && !this.isUsedUp) return false;
    const isNew = !this.#isSuspended;
    this.#isSuspended = true;
    this.#leftMs = 0;
    this.#stalledSinceMs = undefined;
    this.#refilledMs = this.#clock.monotonicMs();
    this.#nextTryMs = this.#refilledMs + RETRY_INTERVAL_MS;
    return isNew;
  }

  #left(): number {
    const stalledMs =
      this.#stalledSinceMs === undefined ? 0 : this.#clock.monotonicMs() - this.#stalledSinceMs;
    return this.#leftMs - stalledMs;
  }

  #refill(): void {
    const now = this.#clock.monotonicMs();
    this.#leftMs = Math.min(this.#limitMs, this.#leftMs + (now - this.#refilledMs) * REFILL);
    this.#refilledMs = now;
  }
}
