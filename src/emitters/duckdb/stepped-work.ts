import type { SerialQueue } from '../../runtime/async/serial-queue.ts';

/** `later`: nothing was done, and the work stays due. */
export type StepResult = 'more' | 'done' | 'later';

/** Background work in short steps, which are turns between those of flushes: the next one follows while there is more. */
export class SteppedWork {
  readonly #turns: SerialQueue;
  readonly #step: () => Promise<StepResult>;
  #isDue = false;
  #isRunning = false;

  /** A step that rejects is the last one until the work begins again. */
  constructor(turns: SerialQueue, step: () => Promise<StepResult>) {
    this.#turns = turns;
    this.#step = step;
  }

  /** The work is due, and begins. */
  begin(): void {
    this.#isDue = true;
    this.continue();
  }

  /** Runs the next steps, if the work is due and none is running. */
  continue(): void {
    if (!this.#isDue || this.#isRunning) return;
    this.#isRunning = true;
    const step = this.#turns.run(this.#step).catch((): StepResult => 'done');
    void step.then((result) => {
      this.#isRunning = false;
      if (result !== 'later') this.#isDue = result === 'more';
      if (result === 'more') this.continue();
    });
  }
}
