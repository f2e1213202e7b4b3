import type { Clock } from '../../runtime/clock.ts';

export interface PatienceOptions {
  /** How long a destination may hold up the others at a stretch. */
  readonly limitMs: number;
  /** There are others. Whoever is alone may take all the time there is. */
  readonly hasOthers: () => boolean;
  readonly clock: Clock;
}

/** What is left of it grows again by a tenth of the time that passes. */
const REFILL = 0.1;
/** Deliveries that take no longer are nothing to be patient about. */
const UNNOTICED_MS = 1_000;
/** A destination that was set aside is tried again after so long. */
const TRY_AGAIN_MS = 30_000;

/**
 * How long one destination may hold up the others, all of which wait for it in the one queue.
 *
 *     in time <-> holding up the others --limit used up--> set aside --one attempt every 30 s works--> in time
 *
 * Time counts from the beginning of an attempt that failed to the one that works, and as far as one that works takes
 * longer than a moment. Used up is used up: a destination that is always slow gets a tenth of the time, not a limit for
 * each batch.
 */
export class Patience {
  readonly #limitMs: number;
  readonly #hasOthers: () => boolean;
  readonly #clock: Clock;
  #leftMs: number;
  #refilledMs: number;
  /** The attempt at hand, or the one that failed. */
  #heldUpSinceMs: number | undefined;
  #isSetAside = false;
  #nextTryMs = 0;

  constructor({ limitMs, hasOthers, clock }: PatienceOptions) {
    this.#limitMs = limitMs;
    this.#hasOthers = hasOthers;
    this.#clock = clock;
    this.#leftMs = limitMs;
    this.#refilledMs = clock.monotonicMs();
  }

  /** Not even to be tried now. */
  get isResting(): boolean {
    return this.isSetAside && this.#clock.monotonicMs() < this.#nextTryMs;
  }

  get isSetAside(): boolean {
    return this.#isSetAside && this.#hasOthers();
  }

  /** In the middle of an attempt: it has taken too long already. */
  get isUsedUp(): boolean {
    return this.#left() <= 0 && this.#hasOthers();
  }

  begin(): void {
    if (this.#heldUpSinceMs !== undefined) return;
    this.#refill();
    this.#heldUpSinceMs = this.#clock.monotonicMs();
  }

  /** True: it had been set aside. */
  succeeded(): boolean {
    const wasSetAside = this.#isSetAside;
    const unnoticed = wasSetAside ? 0 : UNNOTICED_MS;
    this.#leftMs = Math.max(Math.min(this.#left() + unnoticed, this.#leftMs), 0);
    this.#heldUpSinceMs = undefined;
    this.#refilledMs = this.#clock.monotonicMs();
    this.#isSetAside = false;
    return wasSetAside;
  }

  /** True: now it is set aside. */
  failed(): boolean {
    if (!this.isSetAside && !this.isUsedUp) return false;
    const isNew = !this.#isSetAside;
    this.#isSetAside = true;
    this.#leftMs = 0;
    this.#heldUpSinceMs = undefined;
    this.#refilledMs = this.#clock.monotonicMs();
    this.#nextTryMs = this.#refilledMs + TRY_AGAIN_MS;
    return isNew;
  }

  #left(): number {
    const heldUpMs = this.#heldUpSinceMs === undefined ? 0 : this.#clock.monotonicMs() - this.#heldUpSinceMs;
    return this.#leftMs - heldUpMs;
  }

  #refill(): void {
    const now = this.#clock.monotonicMs();
    this.#leftMs = Math.min(this.#limitMs, this.#leftMs + (now - this.#refilledMs) * REFILL);
    this.#refilledMs = now;
  }
}
