import type { Sql } from './sql.ts';

/** A name from the catalogue of a database, in quotes: of a schema, a view or a function. */
export function sqlName(...path: readonly string[]): Sql {
  return { parts: [path.map((name) => `"${name.replaceAll('"', '""')}"`).join('.')], values: [] };
}
