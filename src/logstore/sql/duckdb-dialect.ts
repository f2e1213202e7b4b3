import { MAX_PATTERN_TEXT } from '../../patterns/compile-pattern.ts';
import { re2Pattern } from '../../patterns/write-pattern.ts';
import { groupBy } from '../../runtime/group-by.ts';
import { DECIMAL_TEXT } from './decimal-text.ts';
import { keysOf, LIST_INDEX, shownValue } from './shown-value.ts';
import { join, type Sql, sql } from './sql.ts';
import type { AttributePath, AttributeTests, SqlDialect } from './sql-dialect.ts';

export const duckdbDialect: SqlDialect = {
  name: 'duckdb',

  ownNames: sql`select name from own_names`,

  timestamp: (unixMicro) => sql`make_timestamptz((${unixMicro})::bigint)`,

  unixMicro: (timestamp) => sql`epoch_us(${timestamp})`,

  bucket: (timestamp, periodMs) => {
    const periodMicro = sql`(${periodMs * 1000})::bigint`;
    return sql`make_timestamptz(epoch_us(${timestamp}) // ${periodMicro} * ${periodMicro})`;
  },

  timeText: (timestamp) => sql`strftime(${timestamp} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')`,

  attributeText: (column, path) => {
    const pointer = pointerOf(path);
    return sql`case when json_type(${column}, ${pointer}) not in ('OBJECT', 'ARRAY') then json_extract_string(${column}, ${pointer}) end`;
  },

  attributeNumber: (column, path) => {
    const pointer = pointerOf(path);
    const text = sql`json_extract_string(${column}, ${pointer})`;
    return sql`case
      when json_type(${column}, ${pointer}) in ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE') then ${finite(sql`try_cast(${text} as float8)`)}
      when json_type(${column}, ${pointer}) = 'VARCHAR' and regexp_matches(${text}, ${DECIMAL_TEXT}) then try_cast(${text} as float8)
      end`;
  },

  attributeEquals: (column, path, shown) => {
    const pointer = pointerOf(path);
    const { number, json } = shownValue(shown);
    const others = [
      number === undefined
        ? undefined
        : sql`(json_type(${column}, ${pointer}) in ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')
            and try_cast(json_extract_string(${column}, ${pointer}) as float8) = ${number}::float8)`,
      json === undefined ? undefined : sql`json_extract(${column}, ${pointer})::text = ${json}::text`,
    ].filter((each) => each !== undefined);
    const isEqual = join(
      [sql`${duckdbDialect.attributeText(column, path)} = ${shown}::text`, ...others],
      sql` or `,
    );
    return withKey(column, path, isEqual);
  },

  attributeExists: (column, path) => withKey(column, path, sql`json_exists(${column}, ${pointerOf(path)})`),

  attributeKeys: (column) => sql`unnest(json_keys(${column}))`,

  // Converting the text to lower case takes two thirds of the time, and most texts do not have the uncased part.
  containsText: (text, part) => {
    const found = sql`contains(lower(${text}), lower(${part}::text))`;
    const uncased = longestUncased(part);
    if (uncased.length < MIN_UNCASED) return found;
    const mayBeFound = sql`contains(${text}, ${uncased}::text)`;
    return uncased === part ? mayBeFound : sql`(${mayBeFound} and ${found})`;
  },

  rangesWithoutBits: (bits, { fromUnixMicro, toUnixMicro }) => {
    const pages = groupBy(bits, ({ page }) => page);
    const isMissing = [...pages].map(
      ([page, each]) =>
        sql`when ${page}::smallint then ${join(
          each.map(({ bit }) => sql`get_bit(bits, ${bit}::int) = 0`),
          sql` or `,
        )}`,
    );
    return sql`select distinct epoch_us(range_start) as from_micro, epoch_us(range_end) as to_micro from text_sketches
      where range_start < ${duckdbDialect.timestamp(toUnixMicro)} and range_end > ${duckdbDialect.timestamp(fromUnixMicro)}
        and page in (${join(
          [...pages.keys()].map((page) => sql`${page}::smallint`),
          sql`, `,
        )})
        and case page ${join(isMissing, sql` `)} else false end
      order by 1`;
  },

  decimalNumber: (text) =>
    sql`(case when regexp_matches(${text}, ${DECIMAL_TEXT}) then try_cast(${text} as float8) end)`,

  containsExactly: (text, part) => sql`contains(${text}, ${part}::text)`,

  startsWith: (text, part) => sql`starts_with(${text}, ${part}::text)`,

  endsWith: (text, part) => sql`suffix(${text}, ${part}::text)`,

  matchesPattern: (text, pattern) =>
    sql`regexp_matches(left(${text}, ${MAX_PATTERN_TEXT}::bigint), ${re2Pattern(pattern)}::text)`,

  attributePasses: (column, path, tests) => {
    const pointer = pointerOf(path);
    const type = sql`json_type(${column}, ${pointer})`;
    const single = passes(type, sql`json_extract_string(${column}, ${pointer})`, tests);
    const element = passes(sql`json_type(element)`, sql`(element ->> '$')`, tests);
    const elements = sql`from_json(json_extract(${column}, ${pointer}), '["JSON"]')`;
    const list = sql`case when ${type} = 'ARRAY' then ${tests.list} or len(list_filter(${elements}, lambda element: ${element})) > 0
      else ${single} end`;
    return withKey(column, path, list);
  },

  section: (text) => sql`split_part(${text}, '/', 2)`,

  percentile: (value, fraction) => sql`quantile_cont(${value}, ${fraction}::float8)`,
};

/** A shorter text is part of most texts. */
const MIN_UNCASED = 3;

/** The longest run of characters that are equal in any case, and to which no other character is converted. */
function longestUncased(text: string): string {
  const runs = text.match(/[ -@[-`{-~]+/g) ?? [];
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest), '');
}

/** A JSON pointer: only these two characters are special in a key, and they are escaped. */
function pointerOf(path: AttributePath): Sql {
  const keys = keysOf(path).map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`);
  return sql`${keys.join('')}::text`;
}

/** Searching the text for the last name of the path is much cheaper than parsing it as JSON. */
function withKey(column: Sql, path: AttributePath, condition: Sql): Sql {
  const name = keysOf(path).findLast((key) => !LIST_INDEX.test(key));
  if (name === undefined) return sql`(${condition})`;
  return sql`(contains(${column}::text, ${JSON.stringify(name)}::text) and (${condition}))`;
}

function passes(type: Sql, text: Sql, tests: AttributeTests): Sql {
  const number = sql`try_cast(${text} as float8)`;
  return sql`(case ${type}
    when 'VARCHAR' then ${tests.text(text)}
    when 'BOOLEAN' then ${tests.boolean(text)}
    when 'BIGINT' then ${tests.number(number, text)}
    when 'UBIGINT' then ${tests.number(number, text)}
    when 'HUGEINT' then ${tests.number(number, text)}
    when 'DOUBLE' then ${tests.number(number, text)}
    when 'OBJECT' then ${tests.object}
    else false end)`;
}

/** An index of a list is not in the text. */
/** DuckDB casts a number beyond the range of a double to infinity. */
function finite(number: Sql): Sql {
  return sql`(case when isfinite(${number}) then ${number} end)`;
}
