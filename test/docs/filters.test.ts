import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runFilterTests } from '../../src/filters/filter-tests.ts';
import { FILTER_FUNCTIONS } from '../../src/filters/functions/registry.ts';
import { filterTables } from '../support/filter-tables.ts';
import { markdownBlocks } from '../support/markdown-blocks.ts';
import { problemsOf } from '../support/run-filter.ts';

const PAGE = 'docs/filters.md';
const BLOCKS = markdownBlocks(PAGE).map(({ text }) => text);

test('the filter of the page can be loaded, and passes its test', () => {
  const [example = ''] = BLOCKS;
  expect(problemsOf(example)).toEqual([]);
  expect(runFilterTests(example, { file: 'web.filter', tables: filterTables() })).toMatchObject([
    { name: 'an access of nginx', failure: undefined },
  ]);
});

test('the test of the page drops health checks of the host', () => {
  const block = BLOCKS.find((each) => each.includes('health checks are dropped')) ?? '';
  const filter = `drop if url.path == "/health" and host.name == "web-1"\n${block}`;
  expect(runFilterTests(filter, { file: 'a.filter', tables: filterTables() })).toMatchObject([
    { failure: undefined },
  ]);
});

test('the conditions of the page can be loaded', () => {
  const block = BLOCKS.find((each) => each.startsWith('status_code >= 500')) ?? '';
  const conditions = block.trim().split(/\n| {5,}/);
  expect(conditions.length).toBeGreaterThan(8);
  expect(conditions.flatMap((each) => problemsOf(`drop if ${each}`))).toEqual([]);
});

test('the page has every function', () => {
  const page = readFileSync(PAGE, 'utf8');
  expect([...FILTER_FUNCTIONS.keys()].filter((name) => !page.includes(`\`${name}(`))).toEqual([]);
});
