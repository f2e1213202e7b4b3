import { MAX_PATTERN_TEXT } from '../../patterns/compile-pattern.ts';
import { re2Pattern } from '../../patterns/write-pattern.ts';
import { DECIMAL_TEXT } from './decimal-text.ts';
import { keysOf, LIST_INDEX, shownValue } from './shown-value.ts';
import { join, type Sql, sql } from './sql.ts';
import type { AttributePath, AttributeTests, SqlDialect } from './sql-dialect.ts';

/**
 * ClickHouse 25.8 or later. Statements reach it in its own syntax: the emitter rewrites types, function names and
 * changes of rows (`clickhouse-statement.ts`), and runs every query with the settings of `query-settings.ts`.
 *
 * `attributes` is a text of JSON, not ClickHouse's type JSON: that type splits names at their dots, and changes
 * numbers. Its functions return '' or 0 for a missing value, so the type is read first.
 */
export const clickhouseDialect: SqlDialect = {
  name: 'clickhouse',

  ownNames: sql`select name from own_names`,

  hasTransactions: false,

  isSortedByTime: false,

  // A constant that is never null: the server uses it to leave out days.
  timestamp: (unixMicro) =>
    typeof unixMicro === 'number'
      ? sql`fromUnixTimestamp64Micro(${unixMicro}::bigint, 'UTC')`
      : sql`fromUnixTimestamp64Micro((${unixMicro})::bigint, 'UTC')`,

  unixMicro: (timestamp) => sql`toUnixTimestamp64Micro(${timestamp})`,

  bucket: (timestamp, periodMs) => {
    const periodMicro = sql`${periodMs * 1000}::bigint`;
    return sql`fromUnixTimestamp64Micro(intDiv(toUnixTimestamp64Micro(${timestamp}), ${periodMicro}) * ${periodMicro}, 'UTC')`;
  },

  timeText: (timestamp) => sql`formatDateTime(${timestamp}, '%Y-%m-%dT%H:%i:%S.%fZ')`,

  attributeText: (column, path) => {
    const value = valueAt(column, path);
    return sql`(case ${typeOf(value)} when 'String' then ${textOf(value)} when 'Bool' then ${textOf(value)}
      when 'Int64' then ${textOf(value)} when 'UInt64' then ${textOf(value)}
      when 'Double' then toString(${numberOf(value)}) end)`;
  },

  attributeNumber: (column, path) => {
    const value = valueAt(column, path);
    return sql`(case when ${typeOf(value)} in ('Int64', 'UInt64', 'Double') then ${numberOf(value)}
      when ${typeOf(value)} = 'String' and match(${textOf(value)}, ${DECIMAL_TEXT}) then toFloat64OrNull(${textOf(value)}) end)`;
  },

  attributeEquals: (column, path, shown) => {
    const value = valueAt(column, path);
    const { number, json } = shownValue(shown);
    const others = [
      number === undefined
        ? undefined
        : sql`(${typeOf(value)} in ('Int64', 'UInt64', 'Double') and ${numberOf(value)} = ${number}::float8)`,
      // Both texts are written by the same function: blanks do not matter.
      json === undefined ? undefined : sql`${rawOf(value)} = JSONExtractRaw(${`{"v":${json}}`}::json, 'v')`,
    ].filter((each) => each !== undefined);
    const isEqual = join(
      [sql`${clickhouseDialect.attributeText(column, path)} = ${shown}::text`, ...others],
      sql` or `,
    );
    return withKey(column, path, isEqual);
  },

  attributeExists: (column, path) => withKey(column, path, sql`${rawOf(valueAt(column, path))} <> ''`),

  attributeKeys: (column) => sql`arrayJoin(JSONExtractKeys(ifNull(${column}, '{}')))`,

  // The functions for ASCII are much faster, and the others do not know that `ß` is `SS`. An index has the lower-case
  // text (`emitters/clickhouse/text-index.ts`); only this form of the condition uses it.
  containsText: (text, part) => {
    if (!isAscii(part)) return sql`toBool(position(lowerUTF8(${text}), lowerUTF8(${part}::text)) > 0)`;
    if (part.length < MIN_INDEXED) return sql`toBool(positionCaseInsensitive(${text}, ${part}::text) > 0)`;
    return sql`(lower(${text}) like ${`%${escaped(part.toLowerCase())}%`}::text and true)`;
  },

  decimalNumber: (text) => sql`(case when match(${text}, ${DECIMAL_TEXT}) then toFloat64OrNull(${text}) end)`,

  containsExactly: (text, part) => sql`(position(${text}, ${part}::text) > 0)`,

  startsWith: (text, part) => sql`startsWith(${text}, ${part}::text)`,

  endsWith: (text, part) => sql`endsWith(${text}, ${part}::text)`,

  matchesPattern: (text, pattern) =>
    sql`match(leftUTF8(${text}, ${MAX_PATTERN_TEXT}::bigint), ${re2Pattern(pattern)}::text)`,

  attributePasses: (column, path, tests) => {
    const value = valueAt(column, path);
    const element = passes({ json: sql`element`, keys: [] }, tests);
    const elements = extract('JSONExtractArrayRaw', { ...value, json: sql`ifNull(${value.json}, '{}')` });
    const list = sql`case when ${typeOf(value)} = 'Array'
      then ${tests.list} or arrayExists(element -> coalesce(${element}, false), ${elements})
      else ${passes(value, tests)} end`;
    return withKey(column, path, list);
  },

  section: (text) => sql`extract(${text}, '^[^/]*/([^/]*)')`,

  // The deviation of a single value is not a number, in no range.
  inRange: (statistic, count) =>
    sql`(${statistic} + throwIf(${count} > 1 and not isFinite(ifNull(${statistic}, 0)), 'the value is out of range'))`,

  percentile: (value, fraction) => sql`quantileExactInclusive(${literalNumber(fraction)})(${value})`,
};

/** A value in a text of JSON. */
interface JsonPlace {
  readonly json: Sql;
  readonly keys: readonly Sql[];
}

/** A key of digits may also be the index of an element of a list: the value around it decides. */
function valueAt(column: Sql, path: AttributePath): JsonPlace {
  let place: JsonPlace = { json: column, keys: [] };
  for (const [depth, key] of keysOf(path).entries()) {
    const named = inside(place, sql`${key}::text`);
    const mayBeIndex = depth > 0 && LIST_INDEX.test(key) && key.length <= MAX_INDEX_DIGITS;
    place = mayBeIndex ? elementOrNamed(place, Number(key), named) : named;
  }
  return place;
}

function inside({ json, keys }: JsonPlace, key: Sql): JsonPlace {
  return { json, keys: [...keys, key] };
}

function elementOrNamed(list: JsonPlace, index: number, named: JsonPlace): JsonPlace {
  const element = inside(list, sql`${index + 1}::bigint`);
  const json = sql`if(${typeOf(list)} = 'Array', ${rawOf(element)}, ${rawOf(named)})`;
  return { json, keys: [] };
}

/** A list with more elements does not fit into a record. */
const MAX_INDEX_DIGITS = 9;

function extract(name: JsonFunction, { json, keys }: JsonPlace): Sql {
  return sql`${JSON_FUNCTIONS[name]}(${join([json, ...keys], sql`, `)})`;
}

const JSON_FUNCTIONS = {
  JSONType: sql`JSONType`,
  JSONExtractString: sql`JSONExtractString`,
  JSONExtractFloat: sql`JSONExtractFloat`,
  JSONExtractRaw: sql`JSONExtractRaw`,
  JSONExtractArrayRaw: sql`JSONExtractArrayRaw`,
} as const;

type JsonFunction = keyof typeof JSON_FUNCTIONS;

function typeOf(value: JsonPlace): Sql {
  return sql`toString(${extract('JSONType', value)})`;
}

function textOf(value: JsonPlace): Sql {
  return extract('JSONExtractString', value);
}

function numberOf(value: JsonPlace): Sql {
  return extract('JSONExtractFloat', value);
}

function rawOf(value: JsonPlace): Sql {
  return extract('JSONExtractRaw', value);
}

/** Searching the text for the last name of the path is much cheaper than parsing it as JSON. */
function withKey(column: Sql, path: AttributePath, condition: Sql): Sql {
  const name = keysOf(path).findLast((key) => !LIST_INDEX.test(key));
  if (name === undefined) return sql`(${condition})`;
  return sql`(position(${column}, ${JSON.stringify(name)}::text) > 0 and (${condition}))`;
}

function passes(value: JsonPlace, tests: AttributeTests): Sql {
  const number = numberOf(value);
  const digits = textOf(value);
  return sql`(case ${typeOf(value)}
    when 'String' then ${tests.text(textOf(value))}
    when 'Bool' then ${tests.boolean(textOf(value))}
    when 'Int64' then ${tests.number(number, digits)}
    when 'UInt64' then ${tests.number(number, digits)}
    when 'Double' then ${tests.number(number, sql`toString(${number})`)}
    when 'Object' then ${tests.object}
    else false end)`;
}

/** A shorter text has none of the sequences of characters in the index. */
const MIN_INDEXED = 5;

/** The text as a part of a pattern for `like`. */
function escaped(part: string): string {
  return part.replaceAll(/[\\%_]/g, '\\$&');
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** A parameter of an aggregate function must be a literal; it is one of our own numbers. */
function literalNumber(number: number): Sql {
  return { parts: [String(number)], values: [] };
}
