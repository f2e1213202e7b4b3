import { createReadStream } from 'node:fs';

/**
 * Compares the lines of two files without their order: undefined if both have the same lines, each as often as
 * in the other file. Keeps a hash (FNV-1a) of each line, 4 bytes a line.
 */
export async function compareLines(sourcePath: string, outputPath: string): Promise<string | undefined> {
  const expected = await sumLines(sourcePath);
  const found = await sumLines(outputPath);
  if (expected.length !== found.length) return `${found.length} lines instead of ${expected.length}`;
  const at = expected.findIndex((sum, index) => sum !== found[index]);
  return at < 0 ? undefined : 'lines are missing or changed';
}

const INITIAL_LINES = 1 << 20;
const LF = 0x0a;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The hash of each line without its line ending, in ascending order. */
async function sumLines(path: string): Promise<Uint32Array> {
  let sums = new Uint32Array(INITIAL_LINES);
  let lines = 0;
  let hash = FNV_OFFSET;
  let length = 0;
  const add = (): void => {
    if (lines === sums.length) sums = grown(sums);
    sums[lines++] = hash;
    hash = FNV_OFFSET;
    length = 0;
  };
  for await (const chunk of createReadStream(path, { highWaterMark: 4 << 20 }) as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      if (byte === LF) add();
      else {
        hash = Math.imul(hash ^ byte, FNV_PRIME);
        length++;
      }
    }
  }
  if (length > 0) add();
  return sums.subarray(0, lines).sort();
}

function grown(sums: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(sums.length * 2);
  larger.set(sums);
  return larger;
}
