/** The end of a line that the writer holds back for one tick, with its line feed. */
export const HELD_BACK_BYTES = 5;
/** A collector sends an unfinished line after 5 s. Before this time, it never does. */
export const LATE_MS = 4_000;

/**
 * Lines whose end came late, because the machine or the disk stalled the writer. A collector may have sent the
 * first part as a record of its own: both parts together count as the line.
 */
export class LateLines {
  readonly #byFirstPart = new Map<string, string>();
  readonly #byRest = new Map<string, string[]>();
  #cut = 0;

  /** Without their line endings. */
  constructor(lines: readonly string[]) {
    for (const line of lines) this.#byFirstPart.set(firstPartOf(line), line);
  }

  /** The number of lines that came in two parts. */
  get cut(): number {
    return this.#cut;
  }

  isFirstPart(text: string): boolean {
    return this.#byFirstPart.has(text);
  }

  /** The line that the text completes; undefined for the first part of a line; otherwise the text itself. */
  join(text: string): string | undefined {
    const line = this.#byFirstPart.get(text);
    if (line !== undefined) {
      const rest = line.slice(text.length);
      this.#byRest.set(rest, [...(this.#byRest.get(rest) ?? []), line]);
      return undefined;
    }
    const joined = this.#byRest.get(text)?.shift();
    if (joined !== undefined) this.#cut += 1;
    return joined ?? text;
  }
}

/** The bytes that a collector sees before the writer finishes the line. */
function firstPartOf(line: string): string {
  return line.slice(0, line.length + 1 - HELD_BACK_BYTES);
}
