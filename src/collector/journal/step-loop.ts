import type { Clock } from '../../runtime/clock.ts';

/** Does one step at a time: now, or some time after something happened. */
export class StepLoop {
  readonly #clock: Clock;
  readonly #step: () => Promise<void>;
  /** The delays that are running: one timer for each is enough. */
  readonly #delays = new Set<number>();
  #due = false;
  #running: Promise<void> | undefined;
  #stopped = false;

  /** `step` never rejects. */
  constructor(clock: Clock, step: () => Promise<void>) {
    this.#clock = clock;
    this.#step = step;
  }

  /** A step is due at the latest after this delay. */
  after(ms: number): void {
    if (this.#stopped || this.#delays.has(ms)) return;
    this.#delays.add(ms);
    this.#clock.after(ms, () => {
      this.#delays.delete(ms);
      if (!this.#stopped) void this.now();
    });
  }

  /** Resolves when a step has been made that began after this call. */
  async now(): Promise<void> {
    this.#due = true;
    this.#running ??= this.#run();
    await this.#running;
  }

  /** No timer makes a step any more; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
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
