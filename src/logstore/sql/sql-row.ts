import type { SqlRow } from './sql-database.ts';

/**
 * Reads a value of a row with the type that its statement gave it. Another type is a mistake in the
 * statement, not in its values.
 */
export function numberOf(row: SqlRow, name: string): number {
  const number = numberOrNull(row, name);
  if (number === null) throw new TypeError(`${name} is null`);
  return number;
}

/** Back ends may return 64-bit integers as text. */
export function numberOrNull(row: SqlRow, name: string): number | null {
  const value = row[name];
  if (value === null || typeof value === 'number') return value;
  const number = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw new TypeError(`${name} is not a number`);
  return number;
}

export function textOf(row: SqlRow, name: string): string {
  const text = textOrNull(row, name);
  if (text === null) throw new TypeError(`${name} is null`);
  return text;
}

export function textOrNull(row: SqlRow, name: string): string | null {
  const value = row[name];
  if (value === null || typeof value === 'string') return value;
  throw new TypeError(`${name} is not a text`);
}
