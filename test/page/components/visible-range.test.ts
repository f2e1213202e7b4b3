import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  offsetOf,
  rowAt,
  scrollTopFor,
  totalHeight,
  visibleRange,
} from '../../../src/page/components/visible-range.ts';

const list = { count: 1000, rowHeight: 24 };
const opened = { ...list, opened: { index: 10, height: 300 } };

describe('the rows in view', () => {
  it('are few of many', () => {
    expect(visibleRange(list, { top: 2400, height: 240, overscan: 2 })).toEqual({ first: 98, end: 113 });
    expect(visibleRange(list, { top: 0, height: 240, overscan: 2 })).toEqual({ first: 0, end: 13 });
    expect(visibleRange({ ...list, count: 0 }, { top: 0, height: 240, overscan: 2 })).toEqual({
      first: 0,
      end: 0,
    });
  });

  it('are those around an opened block', () => {
    expect(totalHeight(opened)).toBe(24_300);
    expect([offsetOf(10, opened), offsetOf(11, opened)]).toEqual([240, 564]);
    expect([rowAt(263, opened), rowAt(264, opened), rowAt(563, opened), rowAt(564, opened)]).toEqual([
      10, 10, 10, 11,
    ]);
  });

  it('include the row at every offset', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999 }), fc.boolean(), (index, isOpened) => {
        const geometry = isOpened ? opened : list;
        expect(rowAt(offsetOf(index, geometry), geometry)).toBe(index);
        const view = { top: offsetOf(index, geometry), height: 240, overscan: 0 };
        const { first, end } = visibleRange(geometry, view);
        expect(first <= index && index < end).toBe(true);
      }),
    );
  });

  it('change as little as possible when a row is scrolled to', () => {
    expect(scrollTopFor(5, list, { top: 0, height: 240 })).toBe(0);
    expect(scrollTopFor(10, list, { top: 0, height: 240 })).toBe(24);
    expect(scrollTopFor(2, list, { top: 240, height: 240 })).toBe(48);
    expect(scrollTopFor(100, list, { top: 0, height: 240, align: 'centre' })).toBe(2292);
  });
});
