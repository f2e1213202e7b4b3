import { describe, expect, it } from 'vitest';
import {
  rangeOf,
  shiftedRange,
  spanOf,
  widenedRange,
  withAbsoluteTimes,
} from '../../../src/page/ranges/time-range.ts';

const NOW = Date.parse('2026-11-28T12:00:00.000Z');

describe('a time range', () => {
  it('is the last day without parameters', () => {
    expect(rangeOf({})).toEqual({ from: '24h', to: undefined });
    expect(rangeOf({ from: '15m' })).toEqual({ from: '15m', to: undefined });
  });

  it('is a span of time; one that ends before it begins is none', () => {
    expect(spanOf({ from: '1h', to: undefined }, NOW)).toEqual({ fromMs: NOW - 3_600_000, toMs: NOW });
    expect(spanOf({ from: '1h', to: '2h' }, NOW)).toBeUndefined();
    expect(spanOf({ from: 'soon', to: undefined }, NOW)).toBeUndefined();
  });

  it('moves by its length', () => {
    const earlier = shiftedRange({ from: '1h', to: undefined }, -1, NOW);
    expect(earlier).toEqual({ from: '2026-11-28T10:00:00.000Z', to: '2026-11-28T11:00:00.000Z' });
    expect(shiftedRange(earlier, 1, NOW)).toEqual({
      from: '2026-11-28T11:00:00.000Z',
      to: '2026-11-28T12:00:00.000Z',
    });
  });

  it('is widened at both ends, but not into the future', () => {
    const wide = { from: '2026-11-28T10:00:00.000Z', to: '2026-11-28T12:00:00.000Z' };
    expect(widenedRange({ from: '1h', to: undefined }, NOW)).toEqual(wide);
  });

  it('has absolute times in a link', () => {
    expect(withAbsoluteTimes({ q: 'x', from: '1h' }, NOW)).toEqual({
      q: 'x',
      from: '2026-11-28T11:00:00.000Z',
      to: '2026-11-28T12:00:00.000Z',
    });
  });
});
