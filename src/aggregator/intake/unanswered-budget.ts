/**
 * The record bytes that wait for their commit, over all senders. A sender without room is not read until there is room
 * again; its transport then holds it back.
 */
export class UnansweredBudget {
  readonly #limitBytes: number;
  readonly #changed: (bytes: number) => void;
  readonly #waiting: (() => void)[] = [];
  #bytes = 0;

  constructor(limitBytes: number, changed: (bytes: number) => void = () => {}) {
    this.#limitBytes = limitBytes;
    this.#changed = changed;
  }

  get hasRoom(): boolean {
    return this.#bytes < this.#limitBytes;
  }

  take(bytes: number): void {
    this.#bytes += bytes;
    this.#changed(this.#bytes);
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
    this.#changed(this.#bytes);
    while (this.hasRoom && this.#waiting.length > 0) this.#waiting.shift()?.();
  }

  /** Calls back once, when there is room again. */
  whenRoom(callback: () => void): void {
    this.#waiting.push(callback);
  }
}
