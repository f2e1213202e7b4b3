import { closeSync, openSync, writeSync } from 'node:fs';

/** The output of all runs of a process, without the line that a kill truncated. */
export class StdoutLog {
  readonly path: string;
  readonly #file: number;
  #bytes = 0;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, 'w');
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the chunks of one run. */
  newProcess(): (chunk: Buffer) => void {
    let rest = Buffer.alloc(0);
    return (chunk) => {
      const whole = chunk.lastIndexOf(10) + 1;
      if (whole === 0) {
        rest = Buffer.concat([rest, chunk]);
        return;
      }
      this.#write(rest);
      this.#write(chunk.subarray(0, whole));
      rest = Buffer.from(chunk.subarray(whole));
    };
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    this.#bytes += bytes.length;
  }
}
