import { type FileHandle, open } from 'node:fs/promises';
import { AccessLog } from '../access-log.ts';

const TICK_MS = 50;

/** An access log to which lines are appended at a rate. */
export class LiveLog {
  readonly #path: string;
  readonly #linesPerTick: number;
  readonly #log = new AccessLog(7, () => Date.now());
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(path: string, linesPerSecond: number) {
    this.#path = path;
    this.#linesPerTick = (linesPerSecond * TICK_MS) / 1000;
  }

  start(): void {
    const file = open(this.#path, 'a');
    this.#timer = setInterval(() => {
      const lines = Array.from({ length: this.#linesPerTick }, () => this.#log.line()).join('');
      this.#writing = this.#writing.then(async () => await (await file).appendFile(lines));
    }, TICK_MS);
    this.#writing = file.then((handle: FileHandle) => handle.stat());
  }

  /** Returns the number of lines. */
  async stop(): Promise<number> {
    clearInterval(this.#timer);
    await this.#writing;
    return this.#log.lines;
  }
}
