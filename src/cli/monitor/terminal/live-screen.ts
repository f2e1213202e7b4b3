import { stripVTControlCharacters } from 'node:util';
import type { Output } from '../../output/io.ts';
import { cutToWidth, textWidth } from '../../output/text-width.ts';
import type { Terminal } from './terminal.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_BELOW = '\u001b[J';

/**
 * Text that is redrawn in place, below the existing text of the terminal. `close` leaves the last text there.
 */
export class LiveScreen {
  readonly #output: Output;
  readonly #terminal: Terminal;
  #drawn: readonly string[] = [];
  #isOpen = false;

  constructor(output: Output, terminal: Terminal) {
    this.#output = output;
    this.#terminal = terminal;
  }

  draw(text: string): void {
    const { columns } = this.#terminal;
    const lines = this.#fitting(text.replace(/\n$/, '').split('\n'));
    const begin = this.#isOpen ? `\u001b[${rowsOf(this.#drawn, columns)}A\r` : HIDE_CURSOR;
    this.#isOpen = true;
    this.#drawn = lines;
    this.#output.write(`${begin}${CLEAR_BELOW}${lines.map((line) => `${line}\n`).join('')}`);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#output.write(SHOW_CURSOR);
  }

  /** Cuts text that does not fit: scrolled rows cannot be redrawn. */
  #fitting(lines: readonly string[]): readonly string[] {
    const { columns, rows } = this.#terminal;
    // The row of the cursor is needed, too.
    if (rowsOf(lines, columns) < rows) return lines;
    const shown: string[] = [];
    let used = 2;
    for (const line of lines) {
      used += rowsOf([line], columns);
      if (used > rows) break;
      shown.push(line);
    }
    return [...shown, cutToWidth(`... ${lines.length - shown.length} more lines`, columns)];
  }
}

/** A long line takes several rows, also one that was drawn before the window became narrower. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => {
    return sum + Math.max(1, Math.ceil(textWidth(stripVTControlCharacters(line)) / columns));
  }, 0);
}
