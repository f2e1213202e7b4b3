import type { DestinationStream } from 'pino';

/** Back to the first column, and nothing after it. */
const ERASE = '\r\x1b[K';

/**
 * One line at the end of a terminal that changes in place. Log lines appear above it, so both are written through this
 * object.
 */
export class ProgressLine implements DestinationStream {
  readonly #to: DestinationStream;
  #shown = '';

  constructor(to: DestinationStream) {
    this.#to = to;
  }

  /** A whole log line. */
  write(line: string): void {
    this.#to.write(this.#shown === '' ? line : `${ERASE}${line}${this.#shown}`);
  }

  /** The text must fit into one line of the terminal. */
  show(text: string): void {
    if (text === this.#shown) return;
    this.#shown = text;
    this.#to.write(`${ERASE}${text}`);
  }

  /** Leaves no trace. */
  erase(): void {
    if (this.#shown !== '') this.show('');
  }
}
