import { MAX_PATTERN_TEXT } from '../../patterns/compile-pattern.ts';
import { postgresPattern } from '../../patterns/write-pattern.ts';
import { DECIMAL_TEXT } from './decimal-text.ts';
import { rfc3339Micro } from './rfc3339-micro.ts';
import { keysOf, LIST_INDEX, shownValue } from './shown-value.ts';
import { join, type Sql, sql } from './sql.ts';
import type { AttributePath, AttributeTests, SqlDialect } from './sql-dialect.ts';

/**
 * PostgreSQL 14 or later, with or without TimescaleDB. Every value has an explicit type: parameters have
 * none.
 */
export const postgresDialect: SqlDialect = {
  name: 'postgres',

  isSlowByStream: true,

  // A constant of the type: the planner uses it to exclude partitions and chunks.
  timestamp: (unixMicro) =>
    typeof unixMicro === 'number'
      ? sql`${rfc3339Micro(unixMicro)}::timestamptz`
      : sql`(timestamptz 'epoch' + (${unixMicro}) * interval '1 microsecond')`,

  // `extract` returns a numeric here: nothing is rounded.
  unixMicro: (timestamp) => sql`(extract(epoch from ${timestamp}) * 1000000)::bigint`,

  bucket: (timestamp, periodMs) =>
    sql`date_bin(${periodMs}::bigint * interval '1 millisecond', ${timestamp}, timestamptz 'epoch')`,

  timeText: (timestamp) => sql`to_char(${timestamp} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`,

  attributeText: (column, path) => {
    const value = valueAt(column, path);
    return sql`case when jsonb_typeof(${value}) not in ('object', 'array') then ${value} #>> '{}' end`;
  },

  attributeNumber: (column, path) => {
    const value = valueAt(column, path);
    return sql`case jsonb_typeof(${value})
      when 'number' then case when ${isDouble(sql`(${value})::numeric`)} then (${value})::float8 end
      when 'string' then
        case when ${value} #>> '{}' ~ ${DECIMAL_TEXT}::text then (${value} #>> '{}')::float8 end
      end`;
  },

  attributeEquals: (column, path, shown) => {
    const value = valueAt(column, path);
    const { number, json } = shownValue(shown);
    const others = [
      number === undefined
        ? undefined
        : sql`(jsonb_typeof(${value}) = 'number' and ${value} = to_jsonb(${String(number)}::numeric))`,
      json === undefined ? undefined : sql`${value} = ${json}::jsonb`,
    ].filter((each) => each !== undefined);
    return sql`(${join([sql`${postgresDialect.attributeText(column, path)} = ${shown}::text`, ...others], sql` or `)})`;
  },

  attributeExists: (column, path) => sql`(${valueAt(column, path)} is not null)`,

  hasAnyKey: (column, keys) =>
    sql`${column} ?| array[${join(
      keys.map((key) => sql`${key}::text`),
      sql`, `,
    )}]`,

  attributeKeys: (column) => sql`jsonb_object_keys(${column})`,

  // ILIKE, not position(lower()): an index of trigrams supports it.
  containsText: (text, part) => sql`${text} ilike ${`%${escaped(part)}%`}::text escape '\\'`,

  decimalNumber: (text) => sql`(case when ${text} ~ ${DECIMAL_TEXT}::text then (${text})::float8 end)`,

  containsExactly: (text, part) => sql`${text} like ${`%${escaped(part)}%`}::text escape '\\'`,

  startsWith: (text, part) => sql`starts_with(${text}, ${part}::text)`,

  endsWith: (text, part) => sql`${text} like ${`%${escaped(part)}`}::text escape '\\'`,

  matchesPattern: (text, pattern) =>
    sql`left(${text}, ${MAX_PATTERN_TEXT}::int) ~ ${postgresPattern(pattern)}::text`,

  attributePasses: (column, path, tests) => {
    const keys = keysOf(path).map((key) => sql`${key}::text`);
    const value = sql`(${column} #> array[${join(keys, sql`, `)}])`;
    const element = sql`element.value`;
    return sql`(case when jsonb_typeof(${value}) = 'array'
      then ${tests.list} or exists (select 1 from jsonb_array_elements(
        case when jsonb_typeof(${value}) = 'array' then ${value} else '[]'::jsonb end) as element(value)
        where ${passes(element, tests)})
      else ${passes(value, tests)} end)`;
  },

  section: (text) => sql`split_part(${text}, '/', 2)`,

  percentile: (value, fraction) => sql`percentile_cont(${fraction}::float8) within group (order by ${value})`,
};

/** `->` with a text does not select an element of a list. */
function valueAt(column: Sql, path: AttributePath): Sql {
  const names = keysOf(path);
  const keys = names.map((key) => sql`${key}::text`);
  return names.some((key) => LIST_INDEX.test(key))
    ? sql`(${column} #> array[${join(keys, sql`, `)}])`
    : sql`(${join([column, ...keys], sql` -> `)})`;
}

/** A cast of other numbers to a double is an error. */
function isDouble(number: Sql): Sql {
  return sql`(${number} = 0 or abs(${number}) between 5e-324 and 1.7976931348623157e308)`;
}

function passes(value: Sql, tests: AttributeTests): Sql {
  const text = sql`(${value} #>> '{}')`;
  return sql`(case jsonb_typeof(${value})
    when 'string' then ${tests.text(text)}
    when 'boolean' then ${tests.boolean(text)}
    when 'number' then case when ${isDouble(sql`(${value})::numeric`)} then ${tests.number(sql`(${value})::float8`, text)} else false end
    when 'object' then ${tests.object}
    else false end)`;
}

function escaped(part: string): string {
  return part.replaceAll(/[\\%_]/g, '\\$&');
}
