import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { WrittenLog } from './access-log.ts';
import type { Course } from './contender.ts';

type Output = Pick<Course, 'outputPath'>;

/** How much of the log is in the output. */
export interface OutputProgress {
  /** The value of a complete output: bytes, or records if they are counted. */
  readonly complete: number;
  now(): Promise<number>;
}

/** Bytes of the output; with a mark, the number of its occurrences. */
export function outputProgress(
  course: Output,
  log: Pick<WrittenLog, 'bytes' | 'lines'>,
  recordMark: string | undefined,
): OutputProgress {
  if (recordMark === undefined) return { complete: log.bytes, now: () => outputSize(course) };
  const counter = new MarkCounter(recordMark);
  return {
    complete: log.lines,
    now: async () => counter.countTo(await findOutput(course)),
  };
}

/** The file of the output: its name begins with that of `outputPath`. undefined: there is none yet. */
export async function findOutput({ outputPath }: Output): Promise<string | undefined> {
  const directory = dirname(outputPath);
  const names = await readdir(directory);
  const name = names.find((each) => each.startsWith(basename(outputPath)));
  return name === undefined ? undefined : join(directory, name);
}

async function outputSize(course: Output): Promise<number> {
  const path = await findOutput(course);
  return path === undefined ? 0 : (await stat(path)).size;
}

/** Counts the occurrences of a text in a file that grows. */
class MarkCounter {
  readonly #mark: Buffer;
  readonly #buffer = Buffer.allocUnsafe(4 << 20);
  #offset = 0;
  #count = 0;

  constructor(mark: string) {
    this.#mark = Buffer.from(mark);
  }

  async countTo(path: string | undefined): Promise<number> {
    if (path === undefined) return 0;
    const file = await open(path);
    try {
      for (;;) {
        const { bytesRead } = await file.read(this.#buffer, 0, this.#buffer.length, this.#offset);
        if (bytesRead < this.#mark.length) return this.#count;
        this.#offset += this.#countIn(this.#buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }

  /** Returns the bytes to skip: the end of `bytes` may contain the start of an occurrence. */
  #countIn(bytes: Buffer): number {
    let end = 0;
    for (let at = bytes.indexOf(this.#mark); at >= 0; at = bytes.indexOf(this.#mark, end)) {
      this.#count++;
      end = at + this.#mark.length;
    }
    return Math.max(end, bytes.length - this.#mark.length + 1);
  }
}
