import type { LogGroupExpressions } from '../expressions/log-groups.ts';
import { sql } from './sql/sql.ts';
import type { SqlRow } from './sql/sql-database.ts';
import { textOf } from './sql/sql-row.ts';

/** The log groups of a store: `logGroupExpressions` reads the rows. */
export const SELECT_LOG_GROUPS = sql`select id, definition from log_groups order by id`;

/** A definition that cannot be read is left out: an expression with it is rejected then. */
export function logGroupExpressions(rows: readonly SqlRow[]): LogGroupExpressions {
  return new Map(
    rows.flatMap((row) => {
      const expression = expressionIn(textOf(row, 'definition'));
      return expression === undefined ? [] : [[textOf(row, 'id'), expression] as const];
    }),
  );
}

function expressionIn(definition: string): string | undefined {
  try {
    const { expression } = JSON.parse(definition) as { readonly expression?: unknown };
    return typeof expression === 'string' ? expression : undefined;
  } catch {
    return undefined;
  }
}
