import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const LINK = /\]\(([^)\s#]*)(?:#([^)\s]*))?\)/g;
const BLOCK = /^ *```.*?^ *```$/gms;

interface Link {
  readonly page: string;
  /** Relative to the repository. */
  readonly target: string;
  readonly anchor: string | undefined;
}

const below = (directory: string) =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path));

const PAGES = [...readdirSync('.'), ...['docs', 'bench', 'test'].flatMap(below)].filter(
  (path) => path.endsWith('.md') && !path.startsWith('test/fixtures'),
);

const LINKS: readonly Link[] = PAGES.flatMap((page) =>
  [...readFileSync(page, 'utf8').replace(BLOCK, '').matchAll(LINK)]
    .filter(([, target = '']) => !/^[a-z]+:/.test(target))
    .map(([, target = '', anchor]) => ({
      page,
      target: target === '' ? page : normalize(join(dirname(page), target)),
      anchor,
    })),
);

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const headings = readFileSync(page, 'utf8')
    .replace(BLOCK, '')
    .matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('every relative link in the documentation leads to a file', () => {
  const broken = LINKS.filter(({ target }) => !existsSync(target));
  expect(broken.map(({ page, target }) => `${page}: ${target}`)).toEqual([]);
});

test('every link to a heading leads to one', () => {
  const broken = LINKS.filter(
    ({ target, anchor }) =>
      anchor !== undefined &&
      target.endsWith('.md') &&
      existsSync(target) &&
      !anchorsOf(target).includes(anchor),
  );
  expect(LINKS.filter(({ anchor }) => anchor !== undefined).length).toBeGreaterThan(5);
  expect(broken.map(({ page, target, anchor }) => `${page}: ${target}#${anchor}`)).toEqual([]);
});
