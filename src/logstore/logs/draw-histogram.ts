import { rfc3339Micro } from '../sql/rfc3339-micro.ts';
import { sql } from '../sql/sql.ts';
import { numberOf } from '../sql/sql-row.ts';
import { filterSql } from './filter-sql.ts';
import type { Histogram, HistogramRequest } from './log-requests.ts';
import type { StoreReader } from './store-reader.ts';
import { closedTimeSpan, timeSpanSql } from './time-span.ts';

/**
 * Counts the records in each interval. Intervals are aligned to 1970; the first and the last one may be cut.
 */
export async function drawHistogram(store: StoreReader, request: HistogramRequest): Promise<Histogram> {
  const { dialect } = store;
  const span = closedTimeSpan(request, store.nowUnixMicro());
  const intervalSeconds = intervalOf(span, request.intervalSeconds);
  const bucket = dialect.bucket(sql`time`, intervalSeconds * 1000);
  const names = await store.ownNames();
  const rows = await store.rows(sql`select ${dialect.unixMicro(sql`bar`)} as bar_micro, records
    from (
      select ${bucket} as bar, count(*) as records from log_records
      where ${timeSpanSql(dialect, span)} and ${filterSql(dialect, request, names)}
      group by 1
    ) as bars`);
  const counts = new Map(rows.map((row) => [numberOf(row, 'bar_micro'), numberOf(row, 'records')]));
  const bars = barTimes(span, intervalSeconds).map((unixMicro) => ({
    time: rfc3339Micro(unixMicro),
    count: counts.get(unixMicro) ?? 0,
  }));
  return { intervalSeconds, total: bars.reduce((sum, { count }) => sum + count, 0), bars };
}

interface ClosedSpan {
  readonly fromUnixMicro: number;
  readonly toUnixMicro: number;
}

const SECOND_MICRO = 1_000_000;
const DAY_SECONDS = 86_400;
const USUAL_BARS = 100;
const MAX_BARS = 10_000;
/** Intervals that are natural to people. */
const INTERVALS_SECONDS = [
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  300,
  600,
  900,
  1800,
  3600,
  7200,
  10_800,
  21_600,
  43_200,
  DAY_SECONDS,
];

function intervalOf({ fromUnixMicro, toUnixMicro }: ClosedSpan, asked: number | undefined): number {
  const spanSeconds = Math.max(0, toUnixMicro - fromUnixMicro) / SECOND_MICRO;
  if (asked !== undefined) return asked * Math.max(1, Math.ceil(spanSeconds / asked / MAX_BARS));
  const wanted = spanSeconds / USUAL_BARS;
  return (
    INTERVALS_SECONDS.find((seconds) => seconds >= wanted) ?? Math.ceil(wanted / DAY_SECONDS) * DAY_SECONDS
  );
}

function barTimes({ fromUnixMicro, toUnixMicro }: ClosedSpan, intervalSeconds: number): readonly number[] {
  const interval = intervalSeconds * SECOND_MICRO;
  const times: number[] = [];
  for (let time = fromUnixMicro - (fromUnixMicro % interval); time < toUnixMicro; time += interval)
    times.push(time);
  return fromUnixMicro < toUnixMicro ? times : [];
}
