import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { FILTER_EVENTS } from '../../../src/aggregator/filters/events.ts';
import { FilterErrorLog } from '../../../src/aggregator/filters/filter-error-log.ts';
import { capturedLogger } from '../../support/captured-logger.ts';

const FILE = '/etc/web.filter';

/** A report of a filter: its errors by line since it began, the samples with their values. */
function report(byLine: Readonly<Record<number, number>>, ...values: readonly string[]) {
  const lines = new Map(Object.entries(byLine).map(([line, count]) => [Number(line), count]));
  const total = [...lines.values()].reduce((sum, count) => sum + count, 0);
  const [line = 1] = lines.keys();
  const samples = values.map((value) => ({ file: FILE, line, reason: 'not a number', value }));
  return { file: FILE, total, byLine: lines, samples };
}

function errorLog() {
  const metrics = new Registry();
  const log = new FilterErrorLog(FILTER_EVENTS.open({ logger: capturedLogger().logger, metrics }));
  const values = () => log.list().flatMap(({ samples }) => samples.map(({ value }) => value));
  const counts = () => log.list().map(({ emitter, line, count }) => [emitter, line, count]);
  return { log, metrics, values, counts };
}

it('counts each error once: a report has the errors since the filter began', async () => {
  const { log, metrics, counts, values } = errorLog();
  log.note('store', report({ 2: 1 }, 'x'));
  log.note('store', report({ 2: 3, 5: 1 }, 'x', 'y'));
  expect(counts()).toEqual([
    ['store', 2, 3],
    ['store', 5, 1],
  ]);
  expect(values()).toEqual(['x', 'y']);
  expect(log.total('store')).toBe(4);
  const text = await metrics.metrics();
  expect(text).toContain('aggregator_filter_errors_total{emitter="store",file="web.filter",line="2"} 3');
});

it('counts the emitters for themselves', () => {
  const { log, counts } = errorLog();
  log.note('a', report({ 1: 2 }));
  log.note('b', report({ 1: 5 }));
  expect(counts()).toEqual([
    ['a', 1, 2],
    ['b', 1, 5],
  ]);
  expect(log.total('none')).toBe(0);
});

it('adds the errors of a new thread, and keeps the first samples', () => {
  const { log, counts, values } = errorLog();
  log.note('store', report({ 2: 3 }, 'a', 'b', 'c'));
  log.note('store', report({ 2: 1 }, 'd'));
  log.note('store', report({ 2: 2 }, 'd', 'e'));
  expect(counts()).toEqual([['store', 2, 5]]);
  expect(values()).toEqual(['a', 'b', 'c', 'd', 'e']);
});

it('keeps at most ten samples', () => {
  const { log, values } = errorLog();
  const letters = 'abcdefgh'.split('');
  log.note('store', report({ 2: 8 }, ...letters));
  log.note('store', report({ 2: 4 }, 'w', 'x', 'y', 'z'));
  expect(values()).toEqual([...letters, 'w', 'x']);
});

it('begins the lines and samples again with a changed filter; the total continues', () => {
  const { log, counts, values } = errorLog();
  log.note('store', report({ 2: 3 }, 'a'));
  log.begin('store');
  expect(log.list()).toEqual([]);
  log.note('store', report({ 7: 4 }, 'b'));
  expect(counts()).toEqual([['store', 7, 4]]);
  expect(values()).toEqual(['b']);
  expect(log.total('store')).toBe(7);
});
