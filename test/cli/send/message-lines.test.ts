import fc from 'fast-check';
import { expect, it } from 'vitest';
import { messageLines } from '../../../src/cli/send/message-lines.ts';

async function linesOf(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  const from = async function* () {
    yield* chunks;
  };
  for await (const group of messageLines(from())) lines.push(...group.map(String));
  return lines;
}

it('returns lines without their ends, without empty lines, for any split', async () => {
  const bytes = Buffer.from('one\ntwo\r\n\n\r\nthré\nlast');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const chunks = edges.slice(1).map((to, index) => bytes.subarray(edges[index], to));
      expect(await linesOf(chunks)).toEqual(['one', 'two', 'thré', 'last']);
    }),
  );
});

it('cuts an endless line and continues after it', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  const lines = await linesOf([...Array.from({ length: 20 }, () => chunk), Buffer.from('\nnext\n')]);
  expect(lines.map((line) => line.length)).toEqual([8 * 1024 * 1024, 4]);
});
