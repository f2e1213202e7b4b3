/**
 * How long a publisher waits before its next call. The pause grows with each call that ends without progress: the server
 * refuses the connection, or accepts the call and ends it at once. It is random, so that collectors do not return together.
 */
export class ReconnectBackoff {
  readonly #random: () => number;
  #failures = 0;
  #isShort = false;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  ended({ hasProgress, isReplaced, welcomedForMs }: EndedCall): void {
    this.#isShort = (welcomedForMs ?? 0) < SHORT_CALL_MS;
    const hasWorked = hasProgress || (welcomedForMs ?? 0) >= WORKED_AFTER_MS;
    // Otherwise two copies of one state would end each other's calls as fast as they can.
    this.#failures = hasWorked && !isReplaced ? 0 : this.#failures + 1;
  }

  /** 0: the next call may begin at once. */
  get pauseMs(): number {
    if (this.#failures === 0) return this.#isShort ? SHORTEST_MS : 0;
    const longest = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(this.#failures, 10));
    return SHORTEST_MS + this.#random() * (longest - SHORTEST_MS);
  }
}

const LONGEST_MS = 5_000;
const SHORTEST_MS = 100;
/** A call that lived as long has worked, also without a batch. */
const WORKED_AFTER_MS = 10_000;
/** An aggregator that accepts a batch and ends each call would otherwise get calls without a pause. */
const SHORT_CALL_MS = 1_000;

export interface EndedCall {
  /** A batch was accepted. */
  readonly hasProgress: boolean;
  /** A newer call of this collector ended it. */
  readonly isReplaced: boolean;
  /** undefined: the server has not welcomed the collector. */
  readonly welcomedForMs: number | undefined;
}
