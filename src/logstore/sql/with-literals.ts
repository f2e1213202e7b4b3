import type { Sql, SqlValue } from './sql.ts';

/**
 * The same SQL without parameters, for PostgreSQL: definitions of views and functions cannot have any. Each value has
 * an explicit type in the SQL, so a number may be a text here. Requires `standard_conforming_strings`, which every
 * transaction of the store sets.
 */
export function withLiterals({ parts, values }: Sql): Sql {
  const text = parts.reduce((all, part, at) => (at === 0 ? part : all + literal(values[at - 1]) + part), '');
  return { parts: [text], values: [] };
}

function literal(value: SqlValue | undefined): string {
  return value === null || value === undefined ? 'null' : `'${String(value).replaceAll("'", "''")}'`;
}
