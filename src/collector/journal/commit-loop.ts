import type { Clock } from '../../runtime/clock.ts';

/** Runs one step at a time, now or after a delay. */
export class CommitLoop {
  readonly #clock: Clock;
  readonly #step: () => Promise<void>;
  /** Active delays: one timer for each is enough. */
  readonly #delays = new Set<number>();
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
    if (this.#stopped || this.#delays.has(ms)) return;
    this.#delays.add(ms);
    this.#clock.after(ms, () => {
      this.#delays.delete(ms);
      this.soon();
    });
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

  /** No more steps by timers; resolves when no step is running. */
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
