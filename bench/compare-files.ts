import { type FileHandle, open } from 'node:fs/promises';

export type Comparison =
  | { readonly identical: true; readonly bytes: number }
  | { readonly identical: false; readonly difference: string };

const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Verifies that the output equals the source: the same bytes in the same order. Every line of a source is
 * unique, so lost, doubled or reordered lines make a difference. Reads both once, in constant memory.
 */
export async function compareFiles(sourcePath: string, outputPath: string): Promise<Comparison> {
  const source = await open(sourcePath);
  const output = await open(outputPath);
  const expected = Buffer.allocUnsafe(CHUNK_BYTES);
  const found = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    let offset = 0;
    for (;;) {
      const expectedBytes = await readFully(source, expected, offset);
      const foundBytes = await readFully(output, found, offset);
      const same = Math.min(expectedBytes, foundBytes);
      if (expected.compare(found, 0, same, 0, same) !== 0) {
        return { identical: false, difference: describeDifference(expected, found, offset, same) };
      }
      if (expectedBytes !== foundBytes) {
        const which = expectedBytes > foundBytes ? 'ends too early' : 'continues';
        return { identical: false, difference: `the output ${which} at byte ${offset + same}` };
      }
      offset += same;
      if (same === 0) return { identical: true, bytes: offset };
    }
  } finally {
    await source.close();
    await output.close();
  }
}

async function readFully(file: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

function describeDifference(expected: Buffer, found: Buffer, offset: number, length: number): string {
  let at = 0;
  while (at < length && expected[at] === found[at]) at++;
  const excerpt = (buffer: Buffer) =>
    JSON.stringify(buffer.toString('latin1', at, Math.min(at + 60, length)));
  return `byte ${offset + at}: expected ${excerpt(expected)}, found ${excerpt(found)}`;
}
