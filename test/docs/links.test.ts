import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { globSync } from 'tinyglobby';
import { expect, test } from 'vitest';

const LINK = /\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g;

test('every relative link in the documentation leads to a file', () => {
  const pages = globSync(['*.md', 'docs/**/*.md', 'bench/**/*.md', 'test/**/*.md'], {
    ignore: ['test/fixtures'],
  });
  const broken = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(LINK)]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
});
