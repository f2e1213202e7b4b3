import type { Clock } from '../../runtime/clock.ts';

/** The budget refills by a tenth of the time that passes. */
const REFILL = 0.1;
/** Deliveries up to this duration do not use the budget. */
const FREE_MS = 1_000;
/** Interval between attempts to reach a suspended destination. */
const RETRY_INTERVAL_MS = 30_000;

/**
 * Limits how long one destination may delay the others, which share its queue. The budget is used from the
 * start of a failed attempt to the end of the next successful one, and by the part of a successful attempt
 * that exceeds one second. It is not reset for each batch: a destination that is always slow gets a tenth of
 * the time.
 *
 *     state        budget          records are              begin         succeeded    failed
 *     ------------------------------------------------------------------------------------------------------
 *     on-time      refills         sent                     attempting
 *     attempting   is used         sent                                   on-time      attempting, suspended
 *     suspended    refills from 0  rejected; after 30 s     probing
 *                                  the next ones are sent
 *     probing      is used         sent                                   on-time      suspended
 *
 * A failed attempt suspends the destination only if its budget is used up and there are other destinations.
 * Only this class changes the state.
 */
export class StallBudget {
  readonly #limitMs: number;
  readonly #hasOthers: () => boolean;
  readonly #clock: Clock;
  #state: StallState;

  constructor({ limitMs, hasOthers, clock }: StallBudgetOptions) {
    this.#limitMs = limitMs;
    this.#hasOthers = hasOthers;
    this.#clock = clock;
    this.#state = { kind: 'on-time', leftMs: limitMs, sinceMs: clock.monotonicMs() };
  }

  /** Suspended, and the time of the next attempt has not come. */
  get isResting(): boolean {
    const state = this.#state;
    return wasSuspended(state) && this.#hasOthers() && this.#clock.monotonicMs() < state.nextTryMs;
  }

  get isSuspended(): boolean {
    return wasSuspended(this.#state) && this.#hasOthers();
  }

  /** The current attempt has used up the budget. */
  get isUsedUp(): boolean {
    return this.#leftMs() <= 0 && this.#hasOthers();
  }

  /** An attempt begins. */
  begin(): void {
    const state = this.#state;
    const sinceMs = this.#clock.monotonicMs();
    const leftMs = this.#refilledMs(sinceMs);
    if (state.kind === 'on-time') this.#state = { kind: 'attempting', leftMs, sinceMs };
    else if (state.kind === 'suspended') this.#state = { ...state, kind: 'probing', leftMs, sinceMs };
  }

  /** Returns true if the destination was suspended. */
  succeeded(): boolean {
    const isRecovery = wasSuspended(this.#state);
    const freeMs = isRecovery ? 0 : FREE_MS;
    const leftMs = Math.max(Math.min(this.#leftMs() + freeMs, this.#state.leftMs), 0);
    this.#state = { kind: 'on-time', leftMs, sinceMs: this.#clock.monotonicMs() };
    return isRecovery;
  }

  /** Returns true if the destination is newly suspended. */
  failed(): boolean {
    if (!this.isSuspended && !this.isUsedUp) return false;
    const isNew = !wasSuspended(this.#state);
    const sinceMs = this.#clock.monotonicMs();
    this.#state = { kind: 'suspended', leftMs: 0, sinceMs, nextTryMs: sinceMs + RETRY_INTERVAL_MS };
    return isNew;
  }

  #leftMs(): number {
    const { kind, leftMs, sinceMs } = this.#state;
    const isUsed = kind === 'attempting' || kind === 'probing';
    return isUsed ? leftMs - (this.#clock.monotonicMs() - sinceMs) : leftMs;
  }

  #refilledMs(nowMs: number): number {
    const { leftMs, sinceMs } = this.#state;
    return Math.min(this.#limitMs, leftMs + (nowMs - sinceMs) * REFILL);
  }
}

export interface StallBudgetOptions {
  /** How long a destination may delay the others. */
  readonly limitMs: number;
  /** Whether there are other destinations. A single destination has no limit. */
  readonly hasOthers: () => boolean;
  readonly clock: Clock;
}

/**
 * `leftMs`: the budget at `sinceMs`; afterwards it refills or is used. `attempting` begins with the current
 * attempt, or with the first failed one.
 */
type StallState =
  | { readonly kind: 'on-time' | 'attempting'; readonly leftMs: number; readonly sinceMs: number }
  | SuspendedState;

interface SuspendedState {
  readonly kind: 'suspended' | 'probing';
  readonly leftMs: number;
  readonly sinceMs: number;
  readonly nextTryMs: number;
}

function wasSuspended(state: StallState): state is SuspendedState {
  return state.kind === 'suspended' || state.kind === 'probing';
}
