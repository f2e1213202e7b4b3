import { parseExpression } from '../expressions/parse-expression.ts';
import { parseProperty } from '../expressions/property.ts';
import { propertyText } from '../logstore/property-sql.ts';
import { expressionSql } from '../logstore/sql/expression-sql.ts';
import { join, type Sql, sql } from '../logstore/sql/sql.ts';
import type { SqlDialect } from '../logstore/sql/sql-dialect.ts';
import { type MetricSegment, SEGMENT_CHARACTERS } from './metric-segment.ts';

/** The name of the segment of a record; null: it is in none. */
export function segmentSql(dialect: SqlDialect, segment: MetricSegment | undefined): Sql {
  if (segment === undefined) return sql`null::text`;
  if (typeof segment === 'string') {
    return sql`left(${propertyText(dialect, parseProperty(segment))}, ${SEGMENT_CHARACTERS}::integer)`;
  }
  if ('expression' in segment) {
    return sql`(case when ${whereSql(dialect, segment.expression)} then 'true' else 'false' end)`;
  }
  const cases = segment.map(({ name, where }) => sql`when ${whereSql(dialect, where)} then ${name}::text`);
  return sql`(case ${join(cases, sql` `)} end)`;
}

function whereSql(dialect: SqlDialect, expression: string): Sql {
  return expressionSql(dialect, parseExpression(expression));
}
