import { parseExpression } from '../../expressions/parse-expression.ts';
import { type Property, parseProperty } from '../../expressions/property.ts';
import { storable } from '../log-row.ts';
import type { OwnNames } from '../own-names.ts';
import { ATTRIBUTES, broughtPaths, columnSql, prefixOf, propertyText } from '../property-sql.ts';
import { expressionSql } from '../sql/expression-sql.ts';
import { keysOf } from '../sql/shown-value.ts';
import { join, type Sql, sql } from '../sql/sql.ts';
import type { AttributePath, SqlDialect } from '../sql/sql-dialect.ts';
import { type LogFilter, moment, momentToUnixMicro, SEVERITIES } from './log-requests.ts';
import { lowestSeverityNumber, SEVERITY_NUMBERS_EACH } from './severity-name.ts';

/**
 * Whether a row of `log_records` matches the filter; a boolean, or null for no. `names`: the names that the
 * store has noted, see `own-names.ts`.
 */
export function filterSql(dialect: SqlDialect, filter: LogFilter, names?: OwnNames): Sql {
  const conditions: Sql[] = [];
  if (filter.severity !== undefined) {
    conditions.push(sql`severity_number >= ${lowestSeverityNumber(filter.severity)}::smallint`);
  }
  const properties = [
    ...(filter.host === undefined ? [] : [{ property: 'host.name', value: filter.host }]),
    ...(filter.service === undefined ? [] : [{ property: 'service.name', value: filter.service }]),
    ...(filter.where ?? []),
  ];
  for (const each of properties) {
    conditions.push(
      'expression' in each
        ? expressionSql(dialect, parseExpression(each.expression), names)
        : propertyEquals(dialect, parseProperty(each.property), { value: each.value, names }),
    );
  }
  // The most expensive condition comes last.
  if (filter.text !== undefined) conditions.push(dialect.containsText(sql`body`, storable(filter.text)));
  return conditions.length === 0 ? sql`true` : sql`(${join(conditions, sql` and `)})`;
}

/**
 * Whether a record has a property with this value: in the column of this name, or in its own attribute of
 * this name. So a search by a name finds every value that a client sees under this name.
 */
function propertyEquals(
  dialect: SqlDialect,
  property: Property,
  { value, names }: { readonly value: string; readonly names: OwnNames | undefined },
): Sql {
  if (property.kind === 'section') {
    return sql`${propertyText(dialect, property, names)} = ${storable(value)}::text`;
  }
  const brought = broughtEquals(dialect, broughtPaths(property, names), storable(value));
  if (property.kind !== 'column') return brought;
  return sql`(${columnEquals(dialect, property, value)} or ${brought})`;
}

/** Most records have none of several paths, so one check of all of them comes first. */
function broughtEquals(dialect: SqlDialect, paths: readonly AttributePath[], shown: string): Sql {
  if (paths.length === 0) return NOTHING;
  const equal = paths.map((path) => dialect.attributeEquals(ATTRIBUTES, path, shown));
  const isEqual = sql`(${join(equal, sql` or `)})`;
  if (paths.length === 1 || dialect.hasAnyKey === undefined) return isEqual;
  const keys = [...new Set(paths.map((path) => keysOf(path)[0] ?? ''))];
  return sql`(${dialect.hasAnyKey(ATTRIBUTES, keys)} and ${isEqual})`;
}

/**
 * Compares text exactly, and columns of numbers or times by value (`404.0` is 404). A value that does not fit
 * the type of the column matches nothing.
 */
function columnEquals(
  dialect: SqlDialect,
  property: Extract<Property, { kind: 'column' }>,
  value: string,
): Sql {
  const column = columnSql(property.column);
  switch (property.type) {
    case 'text':
      return textEquals(column, value, prefixOf(property));
    case 'number':
      return severityEquals(property, column, value) ?? wholeNumberEquals(column, value);
    case 'time':
      return timeEquals(dialect, column, value);
    case 'uuid':
      return UUID.test(value) ? sql`${column} = ${value}::uuid` : NOTHING;
  }
}

const NOTHING = sql`false`;
const UUID = /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;
const NUMBER = /^-?\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,3})?$/i;

/** `request_proto=1.1` means the same as `request_proto=HTTP/1.1`. */
function textEquals(column: Sql, value: string, prefix = ''): Sql {
  const text = storable(value);
  return sql`${column} = ${text.startsWith(prefix) ? text.slice(prefix.length) : text}::text`;
}

/** `severity=error` compares with the name; undefined: the value is not a name. */
function severityEquals(property: Property, column: Sql, value: string): Sql | undefined {
  const name = SEVERITIES.find((each) => each === value.toLowerCase());
  if (property.name !== 'severity' || name === undefined) return undefined;
  const lowest = lowestSeverityNumber(name);
  return sql`${column} between ${lowest}::smallint and ${lowest + SEVERITY_NUMBERS_EACH - 1}::smallint`;
}

/** All number columns are integers, and no value exceeds 2^53. */
function wholeNumberEquals(column: Sql, value: string): Sql {
  const number = NUMBER.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(number) ? sql`${column} = ${number}::bigint` : NOTHING;
}

function timeEquals(dialect: SqlDialect, column: Sql, value: string): Sql {
  // A duration is a moment, too, but not a possible time of a record.
  if (!value.includes('T') || !moment.safeParse(value).success) return NOTHING;
  const unixMicro = momentToUnixMicro(value, 0);
  return unixMicro >= 0 ? sql`${column} = ${dialect.timestamp(unixMicro)}` : NOTHING;
}
