import { DECIMAL_TEXT } from './decimal-text.ts';
import { rfc3339Micro } from './rfc3339-micro.ts';
import { sql } from './sql.ts';
import type { SqlDialect } from './sql-dialect.ts';

/** PostgreSQL from 14 on, with or without TimescaleDB. Every value has its type beside it: as parameters they have none. */
export const postgresDialect: SqlDialect = {
  name: 'postgres',

  // A value of the type itself: the planner sees it, and leaves out partitions and chunks before it looks at them.
  timestamp: (unixMicro) =>
    typeof unixMicro === 'number'
      ? sql`${rfc3339Micro(unixMicro)}::timestamptz`
      : sql`(timestamptz 'epoch' + (${unixMicro}) * interval '1 microsecond')`,

  // `extract` is a numeric here: nothing is rounded.
  unixMicro: (timestamp) => sql`(extract(epoch from ${timestamp}) * 1000000)::bigint`,

  bucket: (timestamp, periodMs) =>
    sql`date_bin(${periodMs}::bigint * interval '1 millisecond', ${timestamp}, timestamptz 'epoch')`,

  timeText: (timestamp) => sql`to_char(${timestamp} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,

  attributeText: (column, key) =>
    sql`case when jsonb_typeof(${column} -> ${key}::text) not in ('object', 'array') then ${column} ->> ${key}::text end`,

  attributeNumber: (column, key) =>
    sql`case jsonb_typeof(${column} -> ${key}::text)
      when 'number' then (${column} -> ${key}::text)::float8
      when 'string' then
        case when ${column} ->> ${key}::text ~ ${DECIMAL_TEXT}::text then (${column} ->> ${key}::text)::float8 end
      end`,

  // ILIKE and not position(lower()): this is what an index of trigrams knows.
  containsText: (text, part) => sql`${text} ilike ${`%${escaped(part)}%`}::text escape '\\'`,

  section: (text) => sql`split_part(${text}, '/', 2)`,

  percentile: (value, fraction) => sql`percentile_cont(${fraction}::float8) within group (order by ${value})`,
};

function escaped(part: string): string {
  return part.replaceAll(/[\\%_]/g, '\\$&');
}
