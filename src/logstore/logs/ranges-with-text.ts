import { MAX_UNIX_MICRO, storable } from '../log-row.ts';
import { join, type Sql, sql } from '../sql/sql.ts';
import { numberOf } from '../sql/sql-row.ts';
import { sketchBits } from '../text/text-sketch.ts';
import { merged, type TimeRange, uncovered } from '../text/time-ranges.ts';
import type { LogFilter } from './log-requests.ts';
import type { StoreReader } from './store-reader.ts';
import { type TimeSpan, timeSpanSql } from './time-span.ts';

/**
 * The time ranges within a span in which records may contain the text of the filter, in their order; undefined: the
 * store does not know, or most of the span may have it.
 *
 *     sketches exclude      [--------]   [-------------]    [----]
 *     may have the text [--]          [-]               [--]      [---- not sketched yet ]
 *
 * A store with sketches (`text/text-sketch.ts`) excludes ranges. A record that is stored after this look at the sketches
 * can be missing in the result, as if the search had been a moment earlier.
 */
export async function rangesWithText(
  store: StoreReader,
  { text }: LogFilter,
  span: TimeSpan,
): Promise<readonly TimeRange[] | undefined> {
  if (text === undefined || store.dialect.rangesWithoutBits === undefined) return undefined;
  const bits = sketchBits(storable(text));
  const fromUnixMicro = span.fromUnixMicro ?? 0;
  const toUnixMicro = span.toUnixMicro ?? MAX_UNIX_MICRO + 1;
  if (bits.length === 0 || fromUnixMicro >= toUnixMicro) return undefined;
  const range = { fromUnixMicro, toUnixMicro };
  const rows = await store.rows(store.dialect.rangesWithoutBits(bits, range));
  const excluded = rows.map((row) => ({
    fromUnixMicro: numberOf(row, 'from_micro'),
    toUnixMicro: numberOf(row, 'to_micro'),
  }));
  const [first] = excluded;
  const last = excluded.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const ranges = merged(uncovered(range, excluded), MAX_RANGES);
  // Most of the times with sketches have to be read: a plain search needs fewer statements.
  const sketched = { fromUnixMicro: first.fromUnixMicro, toUnixMicro: last.toUnixMicro };
  return width(uncovered(sketched, ranges)) < width([sketched]) * WORTHWHILE_SHARE ? undefined : ranges;
}

function width(ranges: readonly TimeRange[]): number {
  return ranges.reduce((sum, { fromUnixMicro, toUnixMicro }) => sum + toUnixMicro - fromUnixMicro, 0);
}

/**
 * The records of some ranges, as the text after `from`: they have the name `log_records`. Each range is a branch of a
 * union, because a database skips data by a plain comparison of times, and not by `or` between several.
 */
export function recordsIn({ dialect }: StoreReader, ranges: readonly TimeRange[] | undefined): Sql {
  if (ranges === undefined) return sql`log_records`;
  if (ranges.length === 0) return sql`(select * from log_records where false) as log_records`;
  const branches = ranges.map((range) => sql`select * from log_records where ${timeSpanSql(dialect, range)}`);
  return sql`(${join(branches, sql` union all `)}) as log_records`;
}

/** Planning the branch of a range takes about as long as reading some thousand records. */
const MAX_RANGES = 64;
/** The part of the time that the sketches have to exclude. */
const WORTHWHILE_SHARE = 0.3;
