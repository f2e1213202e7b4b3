import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BANNED_PHRASES, LOG_MESSAGE_WITH_FULL_STOP } from '../support/banned-phrases.ts';
import { PAGES } from '../support/markdown-blocks.ts';
import { markdownProse, type Prose, sourceProse, testTitles } from '../support/prose.ts';

function filesBelow(folder: string, extension: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(extension) && !path.includes('gen/'))
    .map((path) => join(folder, path))
    .sort();
}

function findings(path: string, prose: readonly Prose[]): string[] {
  return prose.flatMap(({ line, text }) =>
    BANNED_PHRASES.flatMap(({ pattern, instead }) => {
      const match = pattern.exec(text);
      if (match === null) return [];
      const passage = text.slice(Math.max(0, match.index - 20), match.index + 60);
      return [`${path}:${line}: «${passage}»; use ${instead}`];
    }),
  );
}

function logFindings(path: string, source: string): string[] {
  return [...source.matchAll(LOG_MESSAGE_WITH_FULL_STOP)].map(
    ([, message]) => `${path}: «${message}»; a log message has no full stop`,
  );
}

const read = (path: string) => readFileSync(path, 'utf8');
const SOURCES = [...filesBelow('src', '.ts'), ...filesBelow('proto', '.proto')];
const FOUND: readonly string[] = [
  ...PAGES.flatMap((path) => findings(path, markdownProse(read(path)))),
  ...SOURCES.flatMap((path) => [
    ...findings(path, sourceProse(read(path))),
    ...logFindings(path, read(path)),
  ]),
  ...filesBelow('test', '.test.ts').flatMap((path) => findings(path, testTitles(read(path)))),
];

test('no text has a banned phrase', () => {
  expect(FOUND).toEqual([]);
});

describe('a banned phrase is found', () => {
  const isFound = (text: string) => BANNED_PHRASES.some(({ pattern }) => pattern.test(text));

  test.each([
    'What was read is kept.',
    'Ends it. Who goes away leaves the line.',
    'Of one writer, those after it.',
    'for whoever asks',
    'nobody waits',
    'at most so many records wait',
    'reading goes on at the end',
    'it is told of a commit',
    'held against the ledger',
    'the rest is turned away',
    'what is given up',
    'keeps house',
    'Is it well?',
    'an operator, or his program',
    'bytes behind the position',
    'what lies in a segment',
    'The serve database is in force',
    'nothing lost, nothing doubled',
  ])('in: %s', (text) => expect(isFound(text)).toBe(true));

  test.each([
    'What is lost, and when?',
    'What crosses the network?',
    'records that were read are kept',
    'A file behind a symbolic link is read to its end',
    'the request is well-formed',
    'two files that cannot be told apart',
    'it goes on the list',
    'the shorthand stands for another name',
    'a field with its quotes doubled',
  ])('not in: %s', (text) => expect(isFound(text)).toBe(false));

  test('in comments that span lines, strings and templates of source text, and not in code', () => {
    const source = [
      'const whoever = a / b; // reading goes',
      '// on here',
      "const text = 'for somebody';",
      'const more = `x nobody`;',
      'const expression = /nobody/;',
    ].join('\n');
    const found = sourceProse(source).filter(({ text }) => isFound(text));
    expect(found.map(({ line }) => line)).toEqual([1, 3, 4]);
  });

  test('in a log message with a full stop', () => {
    expect(logFindings('a.ts', "logger.info({ a: 'b' }, 'Connected to it.');")).toHaveLength(1);
    expect(logFindings('a.ts', "logger.info({ a: 'b' }, 'Connected to it');\nf('A text.')")).toEqual([]);
  });
});
