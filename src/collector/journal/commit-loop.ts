import type { Cancel, Clock } from '../../runtime/clock.ts';

/** Runs one step at a time, now or after a delay. */
export class CommitLoop {
  readonly #clock: Clock;
  readonly #step: () => Promise<void>;
  /** The timers of active delays: one for each is enough. */
  readonly #timers = new Map<number, Cancel>();
  #due = false;
  #running: Promise<void> | undefined;
  #stopped = false;

  /** `step` never rejects. */
  constructor(clock: Clock, step: () => Promise<void>) {
    this.#clock = clock;
    this.#step = step;
  }

  /** Requires a step after this delay at the latest. */
  after(ms: number): void {
    if (this.#stopped || this.#timers.has(ms)) return;
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(ms);
      this.soon();
    });
    this.#timers.set(ms, cancel);
  }

  /** Begins a step, or requires another one after the running step. */
  soon(): void {
    if (!this.#stopped) void this.now();
  }

  /** Resolves after a step that began after this call. */
  async now(): Promise<void> {
    this.#due = true;
    this.#running ??= this.#run();
    await this.#running;
  }

  /** Cancels all timers; resolves when no step is running. `now` still works. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#due) {
      this.#due = false;
      await this.#step();
    }
    this.#running = undefined;
  }
}
