import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PAGES } from '../support/markdown-blocks.ts';

/** A quoted sentence without code: its first three words, since values may follow. */
const MESSAGE = /[`"]([A-Z][a-z]+(?: [A-Za-z]+){2}) [^`"]+[`"]/g;
const PAGES_WITHOUT_SOURCE_MESSAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'];

test('every message that the documentation quotes is in the source code', () => {
  const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join('src', path), 'utf8'))
    .join('\n');
  const quoted = PAGES.filter((page) => !PAGES_WITHOUT_SOURCE_MESSAGES.includes(page)).flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(MESSAGE)].map(([, words = '']) => ({ page, words })),
  );
  expect(quoted.length).toBeGreaterThan(2);
  expect(quoted.filter(({ words }) => !source.includes(words))).toEqual([]);
});
