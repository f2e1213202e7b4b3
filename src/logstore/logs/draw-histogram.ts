import { severityNameSql } from '../property-sql.ts';
import { rfc3339Micro } from '../sql/rfc3339-micro.ts';
import { sql } from '../sql/sql.ts';
import { numberOf, textOrNull } from '../sql/sql-row.ts';
import { filterSql } from './filter-sql.ts';
import type { Histogram, HistogramRequest, SeverityCounts } from './log-requests.ts';
import { rangesWithText, recordsIn } from './ranges-with-text.ts';
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
  const isBySeverity = request.by === 'severity';
  const severity = isBySeverity ? severityNameSql(sql`severity_number`) : sql`null::text`;
  const records = recordsIn(store, await rangesWithText(store, request, span));
  const rows = await store.rows(sql`select ${dialect.unixMicro(sql`bar`)} as bar_micro, severity, records
    from (
      select ${bucket} as bar, ${severity} as severity, count(*) as records from ${records}
      where ${timeSpanSql(dialect, span)} and ${filterSql(dialect, request, names)}
      group by 1, 2
    ) as bars`);
  const counts = new Map<number, SeverityCounts>();
  for (const row of rows) {
    const time = numberOf(row, 'bar_micro');
    const name = (textOrNull(row, 'severity') ?? 'none') as keyof SeverityCounts;
    counts.set(time, { ...(counts.get(time) ?? NO_RECORDS), [name]: numberOf(row, 'records') });
  }
  const bars = barTimes(span, intervalSeconds).map((unixMicro) => {
    const severities = counts.get(unixMicro) ?? NO_RECORDS;
    const count = Object.values(severities).reduce((sum, each) => sum + each, 0);
    return { time: rfc3339Micro(unixMicro), count, ...(isBySeverity && { severities }) };
  });
  return { intervalSeconds, total: bars.reduce((sum, { count }) => sum + count, 0), bars };
}

const NO_RECORDS: SeverityCounts = { trace: 0, debug: 0, info: 0, warn: 0, error: 0, fatal: 0, none: 0 };

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
