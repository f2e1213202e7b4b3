import type { DestinationStream } from 'pino';

/** Moves to the first column and erases the rest of the line. */
const ERASE = '\r\x1b[K';

/**
 * A line at the end of a terminal that changes in place. Log lines appear above it, so both are written
 * through this object.
 */
export class ProgressLine implements DestinationStream {
  readonly #to: DestinationStream;
  #shown = '';

  constructor(to: DestinationStream) {
    this.#to = to;
  }

  /** Writes a whole log line. */
  write(line: string): void {
    this.#to.write(this.#shown === '' ? line : `${ERASE}${line}${this.#shown}`);
  }

  /** The text must fit into one line of the terminal. */
  show(text: string): void {
    if (text === this.#shown) return;
    this.#shown = text;
    this.#to.write(`${ERASE}${text}`);
  }

  /** Removes the line. */
  erase(): void {
    if (this.#shown !== '') this.show('');
  }
}
