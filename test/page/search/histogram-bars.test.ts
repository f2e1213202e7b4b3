import { expect, it } from 'vitest';
import { type Bar, severityCounts, spanOfBars, stackOf } from '../../../src/page/search/histogram-bars.ts';

const bar = (count: number, severities: Bar['severities'] = { info: count }): Bar => ({
  time: '2026-11-28T12:00:00Z',
  count,
  severities,
});

it('stacks the severities from the bottom, the worst on top', () => {
  const parts = stackOf(bar(50, { error: 10, info: 40 }), 100);
  expect(parts).toEqual([
    { part: 'info', y: 60, height: 40 },
    { part: 'error', y: 50, height: 10 },
  ]);
});

it('shows one error among many records', () => {
  const parts = stackOf(bar(1_000_001, { info: 1_000_000, error: 1 }), 2_000_000);
  expect(parts.find(({ part }) => part === 'error')?.height).toBe(2);
});

it('never leaves the chart', () => {
  const all = { none: 1, trace: 1, debug: 1, info: 1_000_000, warn: 1, error: 1, fatal: 1 };
  expect(Math.min(...stackOf(bar(1_000_006, all), 1_000_006).map(({ y }) => y))).toBeGreaterThanOrEqual(0);
});

it('shows counts without severities', () => {
  expect(stackOf({ time: '', count: 5 }, 10)).toEqual([{ part: 'none', y: 50, height: 50 }]);
});

it('names the counts', () => {
  expect(severityCounts(bar(3, { none: 1, error: 2000 }))).toBe('1 without severity, 2,000 error');
});

it('has the span of the chosen bars in both directions', () => {
  const bars = [0, 1, 2].map((minute) => ({ time: `2026-11-28T12:0${minute}:00Z`, count: 1 }));
  const span = { fromMs: Date.parse('2026-11-28T12:01:00Z'), toMs: Date.parse('2026-11-28T12:03:00Z') };
  expect(spanOfBars(bars, { first: 1, last: 2, intervalSeconds: 60 })).toEqual(span);
  expect(spanOfBars(bars, { first: 2, last: 1, intervalSeconds: 60 })).toEqual(span);
  expect(spanOfBars([], { first: 0, last: 0, intervalSeconds: 60 })).toBeUndefined();
});
