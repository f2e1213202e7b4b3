import type { z } from 'zod';
import { type Sql, sql } from '../logstore/sql/sql.ts';
import type { SqlRow } from '../logstore/sql/sql-database.ts';
import type { SqlDialect } from '../logstore/sql/sql-dialect.ts';
import { numberOf, numberOrNull, textOf, textOrNull } from '../logstore/sql/sql-row.ts';
import { type AlertDefinition, alertDefinition } from './alert-definition.ts';
import { type LogGroupDefinition, logGroupDefinition } from './log-group-definition.ts';
import { type MetricDefinition, metricDefinition } from './metric-definition.ts';

/** A definition in the store, as JSON. Its id together with `createdAtUnixMicro` is never used again: an
 * edit is a later creation. */
export interface Stored<Definition> {
  readonly id: string;
  readonly createdAtUnixMicro: number;
  /** undefined: the definition cannot be parsed; `problem` is the reason. */
  readonly definition: Definition | undefined;
  readonly problem: string | undefined;
}

export type StoredAlert = Stored<AlertDefinition>;

export interface StoredMetric extends Stored<MetricDefinition> {
  readonly watermark: string | null;
  readonly refreshedAtUnixMicro: number | null;
}

export function selectMetrics(dialect: SqlDialect, condition: Sql = sql`true`): Sql {
  return sql`select id, definition, ${dialect.unixMicro(sql`created_at`)} as created_at, watermark,
    ${dialect.unixMicro(sql`refreshed_at`)} as refreshed_at from metrics where ${condition} order by id`;
}

export function selectAlerts(dialect: SqlDialect, condition: Sql = sql`true`): Sql {
  return sql`select id, definition, ${dialect.unixMicro(sql`created_at`)} as created_at
    from alerts where ${condition} order by id`;
}

export function selectLogGroups(dialect: SqlDialect, condition: Sql = sql`true`): Sql {
  return sql`select id, definition, ${dialect.unixMicro(sql`created_at`)} as created_at
    from log_groups where ${condition} order by id`;
}

export function storedLogGroup(row: SqlRow): Stored<LogGroupDefinition> {
  return stored(row, logGroupDefinition);
}

export function storedMetric(row: SqlRow): StoredMetric {
  return {
    ...stored(row, metricDefinition),
    watermark: textOrNull(row, 'watermark'),
    refreshedAtUnixMicro: numberOrNull(row, 'refreshed_at'),
  };
}

export function storedAlert(row: SqlRow): StoredAlert {
  return stored(row, alertDefinition);
}

function stored<Definition>(row: SqlRow, schema: z.ZodType<Definition>): Stored<Definition> {
  const { definition, problem } = read(textOf(row, 'definition'), schema);
  return { id: textOf(row, 'id'), createdAtUnixMicro: numberOf(row, 'created_at'), definition, problem };
}

function read<Definition>(text: string, schema: z.ZodType<Definition>) {
  try {
    const result = schema.safeParse(JSON.parse(text));
    if (result.success) return { definition: result.data, problem: undefined };
    const [issue] = result.error.issues;
    return {
      definition: undefined,
      problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`,
    };
  } catch {
    return { definition: undefined, problem: 'it is not JSON' };
  }
}
