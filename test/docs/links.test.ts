import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const LINK = /\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g;

test('every relative link in the documentation leads to a file', () => {
  const below = (directory: string) =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path));
  const pages = [...readdirSync('.'), ...['docs', 'bench', 'test'].flatMap(below)].filter(
    (path) => path.endsWith('.md') && !path.startsWith('test/fixtures'),
  );
  const broken = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(LINK)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
});
