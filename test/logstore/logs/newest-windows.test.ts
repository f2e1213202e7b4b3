import { describe, expect, it } from 'vitest';
import { newestWindows } from '../../../src/logstore/logs/newest-windows.ts';
import { clickhouseDialect } from '../../../src/logstore/sql/clickhouse-dialect.ts';
import { duckdbDialect } from '../../../src/logstore/sql/duckdb-dialect.ts';

const DAY_MICRO = 86_400_000_000;
const END = 20_000 * DAY_MICRO;

describe('the windows of a search for the newest records', () => {
  const starts = (fromUnixMicro: number | undefined) =>
    newestWindows(clickhouseDialect, { fromUnixMicro, toUnixMicro: undefined }, END).map(({ values }) =>
      Number(values[0]),
    );

  it('are a sixty-fourth and an eighth of a span with a start', () => {
    expect(starts(END - DAY_MICRO)).toEqual([END - DAY_MICRO / 64, END - DAY_MICRO / 8]);
  });

  it('grow from twenty minutes to seven days for a span without a start', () => {
    expect(starts(undefined).map((start) => (END - start) / 60_000_000)).toEqual([20, 160, 1280, 10_240]);
  });

  it('are none for a short span, or if the end is before the start', () => {
    expect(starts(END - 60_000_000)).toEqual([]);
    expect(starts(END + DAY_MICRO)).toEqual([]);
  });

  it('are none for a store that finds the newest records without them', () => {
    expect(newestWindows(duckdbDialect, { fromUnixMicro: 0, toUnixMicro: undefined }, END)).toEqual([]);
  });
});
