import { LIMITS } from '../../../records/limits.ts';

/** The batches of one call that have no outcome yet. */
export class UnansweredBatches {
  readonly #waiting: (() => void)[] = [];
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** The window that the welcome message announces is used up. */
  get isFull(): boolean {
    return this.#bytes >= LIMITS.unansweredBytes;
  }

  begin(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
  }

  end(bytes: number): void {
    this.#count--;
    this.#bytes -= bytes;
    if (this.#count === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when each batch has its outcome. */
  whenEmpty(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
