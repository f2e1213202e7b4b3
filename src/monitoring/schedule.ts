import type { Clock } from '../runtime/clock.ts';

const MAX_REST_MS = 60_000;

/**
 * Due times of several tasks. A task that took longer than its period does not catch up, and rests for as
 * long as it took (at most a minute): so no task occupies the store for more than half of the time.
 */
export class Schedule {
  readonly #clock: Clock;
  readonly #dueMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sets the tasks; a new one is due at once. */
  only(names: readonly string[]): void {
    const wanted = new Set(names);
    for (const name of this.#dueMs.keys()) if (!wanted.has(name)) this.#dueMs.delete(name);
    for (const name of wanted) if (!this.#dueMs.has(name)) this.#dueMs.set(name, this.#clock.monotonicMs());
  }

  now(name: string): void {
    this.#dueMs.set(name, this.#clock.monotonicMs());
  }

  isDue(name: string): boolean {
    return (this.#dueMs.get(name) ?? Number.POSITIVE_INFINITY) <= this.#clock.monotonicMs();
  }

  /** The task that began at `startedMs` is done. */
  done(name: string, startedMs: number, periodMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    const restMs = Math.min(nowMs - startedMs, MAX_REST_MS);
    this.#dueMs.set(name, Math.max(startedMs + periodMs, nowMs + restMs));
  }

  /** The time until the first task is due. */
  get waitMs(): number {
    return Math.max(Math.min(...this.#dueMs.values()) - this.#clock.monotonicMs(), 0);
  }
}
