import { attributePaths } from '../expressions/attribute-paths.ts';
import type { Property, PropertyColumn } from '../expressions/property.ts';
import { ACCESS_LOG_ALIASES } from '../formats/access-log-aliases.ts';
import { SEVERITIES } from './logs/log-requests.ts';
import { lowestSeverityNumber, SEVERITY_NUMBERS_EACH } from './logs/severity-name.ts';
import { mayBeBrought, type OwnNames } from './own-names.ts';
import { join, type Sql, sql } from './sql/sql.ts';
import type { AttributePath, SqlDialect } from './sql/sql-dialect.ts';

/**
 * A property as an expression over `log_records`.
 *
 *     property               text                   number
 *     url.path, body, ...    the column             null
 *     status_code, position  its digits             the column
 *     severity               its name: error        its number: 17
 *     time                   RFC 3339 in UTC        seconds since 1970
 *     stream                 32 digits              null
 *     an attribute           of a single value      of a number, or text that is one
 *     request_proto          with its HTTP/         null
 *     section(...)           the section            null
 *
 * A record without a value in the column may have brought an attribute of that name: then this is the value.
 */

/** The property as text; null if a record does not have it. */
export function propertyText(dialect: SqlDialect, property: Property, names?: OwnNames): Sql {
  if (property.kind === 'section') return dialect.section(propertyText(dialect, property.of, names));
  const attributes = broughtPaths(property, names).map((path) => dialect.attributeText(ATTRIBUTES, path));
  return firstOf(property.kind === 'column' ? [columnText(dialect, property), ...attributes] : attributes);
}

/** The property as a double; null if a record does not have it, or if it is not a number. */
export function propertyNumber(dialect: SqlDialect, property: Property): Sql {
  if (property.kind === 'section') return NO_NUMBER;
  const attributes = attributePaths(property).map((path) => dialect.attributeNumber(ATTRIBUTES, path));
  return firstOf(property.kind === 'column' ? [columnNumber(dialect, property), ...attributes] : attributes);
}

/**
 * The paths in `attributes` where a property may be. `names`: see `own-names.ts`; an attribute without a
 * column may be at any path.
 */
export function broughtPaths(property: Property, names: OwnNames | undefined): readonly AttributePath[] {
  const paths = attributePaths(property);
  return property.kind === 'column' ? paths.filter((path) => mayBeBrought(path, names)) : paths;
}

/** Whether a record has such an attribute, with any value; undefined: every store knows the property. */
export function attributeExists(dialect: SqlDialect, property: Property): Sql | undefined {
  if (property.kind === 'section') return attributeExists(dialect, property.of);
  if (property.kind === 'column') return undefined;
  const exist = attributePaths(property).map((path) => dialect.attributeExists(ATTRIBUTES, path));
  return sql`(${join(exist, sql` or `)})`;
}

export const ATTRIBUTES = sql`attributes`;
const NO_NUMBER = sql`null::float8`;

type ColumnProperty = Extract<Property, { kind: 'column' }>;

function columnText(dialect: SqlDialect, property: ColumnProperty): Sql {
  const column = columnSql(property.column);
  switch (property.type) {
    case 'text': {
      const prefix = prefixOf(property);
      return prefix === undefined ? column : sql`(${prefix}::text || ${column})`;
    }
    case 'number':
      return property.name === 'severity' ? severityNameSql(column) : sql`${column}::text`;
    case 'time':
      return dialect.timeText(column);
    case 'uuid':
      return sql`replace(${column}::text, '-', '')`;
  }
}

function columnNumber(dialect: SqlDialect, { column, type }: ColumnProperty): Sql {
  if (type === 'number') return sql`${columnSql(column)}::float8`;
  if (type === 'time') return sql`(${dialect.unixMicro(columnSql(column))} / 1000000.0)::float8`;
  return NO_NUMBER;
}

function firstOf(values: readonly Sql[]): Sql {
  return values.length === 1 ? join(values, sql``) : sql`coalesce(${join(values, sql`, `)})`;
}

/**
 * The prefix that the values of this name have and the stored values do not have: `HTTP/` of request_proto.
 */
export function prefixOf(property: Property): string | undefined {
  return ACCESS_LOG_ALIASES.find(({ alias }) => alias === property.name)?.prefix;
}

/** Written as literals, so that no other text can become a name in a statement. */
const COLUMNS: Readonly<Record<PropertyColumn, Sql>> = {
  time: sql`time`,
  observed_time: sql`observed_time`,
  severity_number: sql`severity_number`,
  severity_text: sql`severity_text`,
  host: sql`host`,
  service: sql`service`,
  source: sql`source`,
  format: sql`format`,
  body: sql`body`,
  stream: sql`stream`,
  position: sql`position`,
  client_address: sql`client_address`,
  user_name: sql`user_name`,
  http_request_method: sql`http_request_method`,
  url_path: sql`url_path`,
  network_protocol_version: sql`network_protocol_version`,
  http_response_status_code: sql`http_response_status_code`,
  http_response_body_size: sql`http_response_body_size`,
};

export function columnSql(column: PropertyColumn): Sql {
  return COLUMNS[column];
}

/** The name of a severity by its number; null: it has none. */
export function severityNameSql(column: Sql): Sql {
  const cases = SEVERITIES.map((name) => {
    const lowest = lowestSeverityNumber(name);
    return sql`when ${column} between ${lowest}::smallint and ${lowest + SEVERITY_NUMBERS_EACH - 1}::smallint then ${name}::text`;
  });
  return sql`case ${join(cases, sql` `)} end`;
}
