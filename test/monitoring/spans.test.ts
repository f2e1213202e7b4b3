import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clipSpan, mergeSpans, type Span, takeNewest, wholeBuckets } from '../../src/monitoring/spans.ts';

const span = fc.tuple(fc.nat(200), fc.nat(20)).map(([from, length]) => ({ from, to: from + length }));

function seconds(spans: readonly Span[]): ReadonlySet<number> {
  return new Set(
    spans.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index)),
  );
}

describe('mergeSpans', () => {
  it('keeps every second, in order, without adjacent spans', () => {
    fc.assert(
      fc.property(fc.array(span), (spans) => {
        const merged = mergeSpans(spans);
        expect(seconds(merged)).toEqual(seconds(spans));
        merged.slice(1).forEach((each, index) => {
          expect(each.from).toBeGreaterThan(merged[index]?.to ?? Number.NaN);
        });
      }),
    );
  });

  it('fills small gaps', () => {
    const spans = [
      { from: 10, to: 12 },
      { from: 0, to: 5 },
      { from: 20, to: 30 },
    ];
    expect(mergeSpans(spans, 5)).toEqual([
      { from: 0, to: 12 },
      { from: 20, to: 30 },
    ]);
  });
});

describe('takeNewest', () => {
  it('takes all spans, each once, the newest first, at most N at a time', () => {
    fc.assert(
      fc.property(
        fc.array(span),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 30 }),
        (spans, count, max) => {
          const all = mergeSpans(spans);
          let rest = all;
          const order: number[] = [];
          while (rest.length > 0) {
            const step = takeNewest(rest, count, max);
            expect(step.taken.length).toBeLessThanOrEqual(count);
            expect(seconds(step.taken).size).toBeLessThanOrEqual(max);
            order.push(...step.taken.map(({ to }) => to));
            for (const second of seconds(step.taken)) expect(seconds(step.rest).has(second)).toBe(false);
            expect(seconds([...step.taken, ...step.rest]).size).toBe(seconds(rest).size);
            rest = step.rest;
          }
          expect(order).toEqual(order.toSorted((a, b) => b - a));
        },
      ),
    );
  });
});

it('wholeBuckets extends a span, clipSpan cuts it', () => {
  expect(wholeBuckets({ from: 13, to: 15 }, 7)).toEqual({ from: 7, to: 21 });
  expect(wholeBuckets({ from: 14, to: 21 }, 7)).toEqual({ from: 14, to: 21 });
  expect(clipSpan({ from: 0, to: 9 }, { from: 3, to: 6 })).toEqual({ from: 3, to: 6 });
});
