import type { SqlValue } from '../../logstore/sql/sql.ts';
import { jsonText } from './json-text.ts';

/**
 * A value as a literal. ClickHouse has parameters only in the URL of a request, whose length is limited. In a text
 * between single quotes only the quote and the backslash are special, and both are escaped here.
 *
 * `type`: the type that the statement gives the value, such as `text`; absent: the type of the value itself.
 */
export function sqlLiteral(value: SqlValue, type?: string): string {
  const target = type === undefined ? undefined : columnType(type);
  if (value === null) return target === undefined ? 'null' : `cast(null, '${nullable(target)}')`;
  if (typeof value === 'string') return textLiteral(storedText(value, type));
  if (typeof value === 'boolean') return String(value);
  const number = numberLiteral(value);
  return target === undefined || target === 'String' ? number : `cast(${number}, '${target}')`;
}

/** As the store writes values of this type. */
function storedText(text: string, type: string | undefined): string {
  if (type === 'uuid') return text.replaceAll('-', '').toLowerCase();
  return type === 'json' || type === 'jsonb' ? jsonText(text) : text;
}

/** ClickHouse's type for a type of the shared statements. Identifiers are texts of 32 digits: see `tables.ts`. */
export function columnType(type: string): string {
  const target = TYPES.get(type.toLowerCase());
  if (target === undefined) throw new Error(`the type ${type} is unknown`);
  return target;
}

export function nullable(type: string): string {
  return `Nullable(${type.replaceAll("'", "\\'")})`;
}

export function textLiteral(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}

/** A whole number keeps all of its digits; every other one is a double. */
function numberLiteral(value: number): string {
  if (Number.isSafeInteger(value)) return value === 0 ? '0' : String(value);
  return Number.isInteger(value) ? `${value.toExponential()}` : String(value);
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['text', 'String'],
  ['json', 'String'],
  ['jsonb', 'String'],
  ['uuid', 'String'],
  ['smallint', 'Int16'],
  ['int', 'Int32'],
  ['integer', 'Int32'],
  ['bigint', 'Int64'],
  ['float8', 'Float64'],
  ['boolean', 'Bool'],
  ['timestamptz', "DateTime64(6, 'UTC')"],
]);
