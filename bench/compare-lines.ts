import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';

/**
 * Compares the lines of two files without their order: undefined if both have the same lines, each as often as
 * in the other file. Keeps the CRC-32 of each line, 4 bytes a line.
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

/** The CRC-32 of each line without its line ending, in ascending order. */
async function sumLines(path: string): Promise<Uint32Array> {
  let sums = new Uint32Array(INITIAL_LINES);
  let lines = 0;
  let rest: Buffer = Buffer.alloc(0);
  const add = (line: Buffer): void => {
    if (lines === sums.length) sums = grown(sums);
    sums[lines++] = crc32(line);
  };
  for await (const read of createReadStream(path, { highWaterMark: 4 << 20 }) as AsyncIterable<Buffer>) {
    const chunk: Buffer = rest.length === 0 ? read : Buffer.concat([rest, read]);
    let from = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      add(chunk.subarray(from, end));
      from = end + 1;
    }
    rest = Buffer.from(chunk.subarray(from));
  }
  if (rest.length > 0) add(rest);
  return sums.subarray(0, lines).sort();
}

function grown(sums: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(sums.length * 2);
  larger.set(sums);
  return larger;
}
