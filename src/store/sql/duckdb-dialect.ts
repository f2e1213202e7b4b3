import { DECIMAL_TEXT } from './decimal-text.ts';
import { type Sql, sql } from './sql.ts';
import type { SqlDialect } from './sql-dialect.ts';

export const duckdbDialect: SqlDialect = {
  name: 'duckdb',

  timestamp: (unixMicro) => sql`make_timestamptz((${unixMicro})::bigint)`,

  unixMicro: (timestamp) => sql`epoch_us(${timestamp})`,

  bucket: (timestamp, periodMs) => {
    const periodMicro = sql`(${periodMs * 1000})::bigint`;
    return sql`make_timestamptz(epoch_us(${timestamp}) // ${periodMicro} * ${periodMicro})`;
  },

  timeText: (timestamp) => sql`strftime(${timestamp} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')`,

  attributeText: (column, key) => {
    const path = pathOf(key);
    return sql`case when json_type(${column}, ${path}) not in ('OBJECT', 'ARRAY') then json_extract_string(${column}, ${path}) end`;
  },

  attributeNumber: (column, key) => {
    const path = pathOf(key);
    const text = sql`json_extract_string(${column}, ${path})`;
    return sql`case
      when json_type(${column}, ${path}) in ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE') then try_cast(${text} as float8)
      when json_type(${column}, ${path}) = 'VARCHAR' and regexp_matches(${text}, ${DECIMAL_TEXT}) then try_cast(${text} as float8)
      end`;
  },

  containsText: (text, part) => sql`contains(lower(${text}), lower(${part}::text))`,

  section: (text) => sql`split_part(${text}, '/', 2)`,

  percentile: (value, fraction) => sql`quantile_cont(${value}, ${fraction}::float8)`,
};

/** A JSON pointer: nothing in a key means anything in it but these two, which are escaped. */
function pathOf(key: string): Sql {
  return sql`${`/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`}::text`;
}
