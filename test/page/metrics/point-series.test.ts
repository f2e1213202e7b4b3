import { describe, expect, it } from 'vitest';
import { MAX_SERIES, NO_SEGMENT, pointSeries } from '../../../src/page/metrics/point-series.ts';

const point = (minute: number, value: number | null, segment: string | null = null) => ({
  time: `2026-11-28T10:0${minute}:00Z`,
  segment,
  value,
});

describe('pointSeries', () => {
  it('orders the values by time', () => {
    const { timesMs, series } = pointSeries([point(2, 20), point(0, 1), point(1, null)], 'count of records');
    expect(timesMs.map((ms) => new Date(ms).getUTCMinutes())).toEqual([0, 1, 2]);
    expect(series).toEqual([{ name: 'count of records', values: [1, null, 20] }]);
  });

  it('has a series for each segment, the largest first, with gaps where a segment has no value', () => {
    const points = [point(0, 1, 'a'), point(0, 5, 'b'), point(1, 2, 'a'), point(1, 9)];
    expect(pointSeries(points, undefined).series).toEqual([
      { name: NO_SEGMENT, values: [null, 9] },
      { name: 'b', values: [5, null] },
      { name: 'a', values: [1, 2] },
    ]);
  });

  it('counts the segments that it leaves out', () => {
    const points = Array.from({ length: MAX_SERIES + 3 }, (_, at) => point(0, at, `segment ${at}`));
    const { series, leftOut } = pointSeries(points, undefined);
    expect([series.length, leftOut]).toEqual([MAX_SERIES, 3]);
    expect(series[0]?.name).toBe(`segment ${MAX_SERIES + 2}`);
  });

  it('is empty without points', () => {
    expect(pointSeries([], 'value')).toEqual({ timesMs: [], series: [], leftOut: 0 });
  });
});
