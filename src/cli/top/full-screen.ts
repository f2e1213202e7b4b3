import type { Output } from '../output/io.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Frames on the second screen of a terminal. `close` shows the first one again, as it was. */
export class FullScreen {
  readonly #output: Output;
  #isOpen = false;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Lines are overwritten in place, because a cleared screen would flicker. */
  draw(frame: string): void {
    const begin = this.#isOpen ? '' : ENTER;
    this.#isOpen = true;
    const lines = frame.replace(/\n$/, '').split('\n');
    // Without a newline after the last line, a full screen does not scroll.
    this.#output.write(
      `${begin}${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`,
    );
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#output.write(LEAVE);
  }
}
