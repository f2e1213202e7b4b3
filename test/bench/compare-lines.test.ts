import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compareLines } from '../../bench/compare-lines.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function compare(source: string, output: string): Promise<string | undefined> {
  const directory = await temporaryDirectory();
  const paths = [join(directory, 'source'), join(directory, 'output')] as const;
  await writeFile(paths[0], source);
  await writeFile(paths[1], output);
  return await compareLines(...paths);
}

test('finds no difference between the same lines in another order', async () => {
  expect(await compare('a\nb\nc\n', 'c\na\nb\n')).toBeUndefined();
});

test('finds a line that is missing, doubled or changed', async () => {
  expect(await compare('a\nb\nc\n', 'a\nc\n')).toBe('2 lines instead of 3');
  expect(await compare('a\nb\nc\n', 'a\nb\nb\n')).toBe('lines are missing or changed');
  expect(await compare('a\nb\nc\n', 'a\nB\nc\n')).toBe('lines are missing or changed');
});

test('finds the lines of a file that is larger than one read', async () => {
  const lines = Array.from({ length: 400_000 }, (_, index) => `${index} ${'x'.repeat(20)}`);
  const text = (each: readonly string[]) => `${each.join('\n')}\n`;
  expect(await compare(text(lines), text(lines.toReversed()))).toBeUndefined();
  expect(await compare(text(lines), text(lines.with(200_000, 'x')))).toBe('lines are missing or changed');
});
