import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { histogramRequest } from '../../../src/logstore/logs/log-requests.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { describeEachStore, type TestStore } from '../../support/stores.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const histogramIn = ({ database }: TestStore) => {
  const logs = createLogSearch(database, { clock: new FakeClock(NOW) });
  return (request: unknown) => logs.histogram(histogramRequest.parse(request));
};
const record = (time: string, level = 'info') => ({ time: `2026-01-31T${time}Z`, level });

describeEachStore('a histogram', (openStore) => {
  test('has every bar, also those without records', async () => {
    const store = await openStore();
    await store.write([
      jsonBatch([
        record('09:59:59.999999'),
        record('10:00:00'),
        record('10:00:29.999999', 'error'),
        record('10:01:00', 'error'),
        record('10:02:00'),
      ]),
    ]);
    const histogram = histogramIn(store);
    const span = { from: '2026-01-31T10:00:00Z', to: '2026-01-31T10:02:00Z', intervalSeconds: 30 };
    const bars = (counts: readonly number[]) =>
      counts.map((count, index) => ({
        time: `2026-01-31T10:0${Math.floor(index / 2)}:${index % 2 === 0 ? '00' : '30'}.000000Z`,
        count,
      }));
    expect(await histogram(span)).toEqual({ intervalSeconds: 30, total: 3, bars: bars([2, 0, 1, 0]) });
    expect(await histogram({ ...span, severity: 'error' })).toEqual({
      intervalSeconds: 30,
      total: 2,
      bars: bars([1, 0, 1, 0]),
    });
  });

  test('counts each severity', async () => {
    const store = await openStore();
    await store.write([
      jsonBatch([
        record('10:00:00'),
        record('10:00:01', 'error'),
        record('10:00:02', 'error'),
        { time: '2026-01-31T10:01:00Z', message: 'no level' },
      ]),
    ]);
    const span = { from: '2026-01-31T10:00:00Z', to: '2026-01-31T10:03:00Z', intervalSeconds: 60 };
    const { total, bars } = await histogramIn(store)({ ...span, by: 'severity' });
    const none = { trace: 0, debug: 0, info: 0, warn: 0, error: 0, fatal: 0, none: 0 };
    expect(total).toBe(4);
    expect(bars.map(({ count, severities }) => [count, severities])).toEqual([
      [3, { ...none, info: 1, error: 2 }],
      [1, { ...none, none: 1 }],
      [0, none],
    ]);
  });

  test('cuts the first and the last bar where the time range ends', async () => {
    const store = await openStore();
    await store.write([
      jsonBatch(['10:00:10', '10:00:40', '10:01:10', '10:01:40'].map((time) => record(time))),
    ]);
    const request = { from: '2026-01-31T10:00:30Z', to: '2026-01-31T10:01:30Z', intervalSeconds: 60 };
    expect((await histogramIn(store)(request)).bars).toEqual([
      { time: '2026-01-31T10:00:00.000000Z', count: 1 },
      { time: '2026-01-31T10:01:00.000000Z', count: 1 },
    ]);
  });

  test('covers the last day in about a hundred bars by default', async () => {
    const store = await openStore();
    await store.write([
      jsonBatch([record('11:59:59'), record('12:00:00'), { time: '2026-01-30T11:59:59Z' }]),
    ]);
    const { intervalSeconds, total, bars } = await histogramIn(store)({});
    expect([intervalSeconds, total, bars.length]).toEqual([900, 1, 96]);
    expect(bars.at(-1)).toEqual({ time: '2026-01-31T11:45:00.000000Z', count: 1 });
  });

  test.each([
    ['1s', 1, 1],
    ['100s', 1, 100],
    ['101s', 2, 51],
    ['1h', 60, 60],
    ['168h', 7200, 84],
    ['8784h', 345_600, 92],
  ])('chooses an interval for %s', async (from, intervalSeconds, bars) => {
    const store = await openStore();
    const histogram = await histogramIn(store)({ from });
    expect(histogram.intervalSeconds).toBe(intervalSeconds);
    expect(Math.abs(histogram.bars.length - bars)).toBeLessThanOrEqual(1);
  });

  test('has at most ten thousand bars, which are then wider than requested', async () => {
    const store = await openStore();
    const histogram = await histogramIn(store)({ from: '1970-01-01T00:00:00Z', intervalSeconds: 7 });
    expect(histogram.bars.length).toBeLessThanOrEqual(10_001);
    expect(histogram.bars.length).toBeGreaterThan(9000);
    expect(histogram.intervalSeconds % 7).toBe(0);
  });

  test('of an empty time range has no bars', async () => {
    const store = await openStore();
    const histogram = histogramIn(store);
    const span = { from: '2026-01-31T10:00:00Z', to: '2026-01-31T10:00:00Z' };
    expect((await histogram(span)).bars).toEqual([]);
    expect((await histogram({ ...span, to: '2026-01-30T10:00:00Z', intervalSeconds: 60 })).bars).toEqual([]);
  });
});
