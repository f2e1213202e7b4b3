/**
 * Joins the parts of a numbered line that the filter of `chaos-filter.ts` splits at its blanks:
 *
 *     alpha 000000007 payload    ->    alpha
 *                                      000000007
 *                                      payload
 */
export class SplitLines {
  readonly #logs: ReadonlySet<string>;
  #parts: string[] = [];

  constructor(logs: readonly string[]) {
    this.#logs = new Set(logs);
  }

  /**
   * The lines that are complete with this one. `isTorn`: a part before it came without the rest of its line, as the
   * output of a killed process ends.
   */
  add(text: string): JoinedLine {
    const isDue = this.#isDue(text);
    const isTorn = !isDue && this.#parts.length > 0;
    if (isTorn) this.#parts = [];
    if (!isDue && !this.#isDue(text)) return { text, isJoined: false, isTorn };
    this.#parts.push(text);
    if (this.#parts.length < PARTS) return { text: undefined, isJoined: false, isTorn };
    const joined = this.#parts.join(' ');
    this.#parts = [];
    return { text: joined, isJoined: true, isTorn };
  }

  /** Whether the last line is not complete. */
  get isOpen(): boolean {
    return this.#parts.length > 0;
  }

  #isDue(text: string): boolean {
    if (this.#parts.length === 0) return this.#logs.has(text);
    if (this.#parts.length === 1) return SPLIT_NUMBER.test(text);
    return PAYLOAD.test(text) && !this.#logs.has(text);
  }
}

export interface JoinedLine {
  /** undefined: further parts are due. */
  readonly text: string | undefined;
  readonly isJoined: boolean;
  readonly isTorn: boolean;
}

const PARTS = 3;
const SPLIT_NUMBER = /^[0-9]{8}7$/;
const PAYLOAD = /^[^ ]+$/;
