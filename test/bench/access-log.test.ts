import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AccessLog, writeAccessLog } from '../../bench/access-log.ts';
import { compareFiles } from '../../bench/compare-files.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const COMBINED =
  /^\d+\.\d+\.\d+\.\d+ - - \[[^\]]+\] "(GET|POST) \/[^ ]+ HTTP\/1\.1" \d{3} \d+ "[^"]+" "[^"]+"$/;

test('an access log has the Combined Log Format, and every line is unique', async () => {
  const path = join(await temporaryDirectory(), 'access.log');
  const { bytes, lines } = await writeAccessLog(path, 1);
  const text = await readFile(path, 'latin1');
  const found = text.trimEnd().split('\n');
  expect(text.length).toBe(bytes);
  expect(found.length).toBe(lines);
  expect(new Set(found).size).toBe(lines);
  expect(found.filter((line) => !COMBINED.test(line))).toEqual([]);
  expect(bytes / lines).toBeGreaterThan(170);
  expect(bytes / lines).toBeLessThan(230);
});

test('the same seed gives the same log, another seed another', () => {
  const text = (seed: number) => new AccessLog(seed).chunk(100_000);
  expect(text(7)).toBe(text(7));
  expect(text(7)).not.toBe(text(8));
});

test('a comparison finds one lost, doubled or changed line and its position', async () => {
  const directory = await temporaryDirectory();
  const source = join(directory, 'source.log');
  await writeAccessLog(source, 1);
  const lines = (await readFile(source, 'latin1')).split('\n');
  const compareWith = async (changed: readonly string[]) => {
    const output = join(directory, 'output.log');
    await writeFile(output, changed.join('\n'), 'latin1');
    return await compareFiles(source, output);
  };
  expect(await compareWith(lines)).toMatchObject({ identical: true });
  expect(await compareWith(lines.toSpliced(1000, 1))).toMatchObject({ identical: false });
  expect(await compareWith(lines.toSpliced(-2, 1))).toMatchObject({
    difference: expect.stringContaining('ends too early') as string,
  });
  expect(await compareWith([...lines, 'more'])).toMatchObject({
    difference: expect.stringContaining('continues') as string,
  });
  expect(await compareWith(lines.toSpliced(3, 2, lines[4] ?? '', lines[3] ?? ''))).toMatchObject({
    identical: false,
  });
});
