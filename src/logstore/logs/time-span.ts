import { MAX_UNIX_MICRO } from '../log-row.ts';
import { join, type Sql, sql } from '../sql/sql.ts';
import type { SqlDialect } from '../sql/sql-dialect.ts';
import { momentToUnixMicro } from './log-requests.ts';

/** `[from, to)` in microseconds since 1970; undefined: no limit on that side. */
export interface TimeSpan {
  readonly fromUnixMicro: number | undefined;
  readonly toUnixMicro: number | undefined;
}

/** The span of a request. */
interface Moments {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

const DAY_MICRO = 86_400_000_000;

export function timeSpan({ from, to }: Moments, nowUnixMicro: number): TimeSpan {
  return { fromUnixMicro: unixMicro(from, nowUnixMicro), toUnixMicro: unixMicro(to, nowUnixMicro) };
}

/** The default end is now, and the default start is one day before the end. */
export function closedTimeSpan(
  { from, to }: Moments,
  nowUnixMicro: number,
): { readonly fromUnixMicro: number; readonly toUnixMicro: number } {
  const toUnixMicro = unixMicro(to, nowUnixMicro) ?? nowUnixMicro;
  return {
    fromUnixMicro: unixMicro(from, nowUnixMicro) ?? Math.max(0, toUnixMicro - DAY_MICRO),
    toUnixMicro,
  };
}

/**
 * Uses plain comparisons with values, the only form that lets every back end skip data outside of the span.
 */
export function timeSpanSql(dialect: SqlDialect, { fromUnixMicro, toUnixMicro }: TimeSpan): Sql {
  const conditions: Sql[] = [];
  if (fromUnixMicro !== undefined) conditions.push(sql`time >= ${dialect.timestamp(fromUnixMicro)}`);
  if (toUnixMicro !== undefined) conditions.push(sql`time < ${dialect.timestamp(toUnixMicro)}`);
  return conditions.length === 0 ? sql`true` : join(conditions, sql` and `);
}

/** Records have times from 1970 to 2199. */
function unixMicro(moment: string | undefined, nowUnixMicro: number): number | undefined {
  if (moment === undefined) return undefined;
  return Math.min(Math.max(0, momentToUnixMicro(moment, nowUnixMicro)), MAX_UNIX_MICRO);
}
