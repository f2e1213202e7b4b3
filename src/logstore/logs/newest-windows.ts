import { type Sql, sql } from '../sql/sql.ts';
import type { SqlDialect } from '../sql/sql-dialect.ts';
import type { TimeSpan } from './time-span.ts';

/**
 * The ends of a span of time, the shortest first, for a store that is not sorted by time: the newest records are often
 * in the first of them. Each is eight times as long as the one before, so that they cost little if the complete span
 * has to be read. Other stores need none.
 *
 * `endUnixMicro`: the latest possible time of a record; later records are in each window.
 */
export function newestWindows(
  dialect: SqlDialect,
  { fromUnixMicro }: TimeSpan,
  endUnixMicro: number,
): readonly Sql[] {
  if (dialect.isSortedByTime !== false) return [];
  return lengthsOf(fromUnixMicro === undefined ? undefined : endUnixMicro - fromUnixMicro)
    .map((lengthMicro) => endUnixMicro - lengthMicro)
    .filter((startUnixMicro) => startUnixMicro > (fromUnixMicro ?? 0))
    .map((startUnixMicro) => sql`time >= ${dialect.timestamp(startUnixMicro)}`);
}

function lengthsOf(spanMicro: number | undefined): readonly number[] {
  if (spanMicro === undefined) return UNLIMITED_MICRO;
  if (spanMicro < MIN_SPAN_MICRO) return [];
  return [Math.floor(spanMicro / GROWTH ** 2), Math.floor(spanMicro / GROWTH)];
}

const GROWTH = 8;
const MINUTE_MICRO = 60_000_000;
/** A shorter span is read at once. */
const MIN_SPAN_MICRO = 10 * MINUTE_MICRO;
/** For a span without a start: 20 minutes to 7 days. */
const UNLIMITED_MICRO = [0, 1, 2, 3].map((power) => 20 * MINUTE_MICRO * GROWTH ** power);
