import { type Sql, sql } from '../logstore/sql/sql.ts';
import { SqlError } from '../logstore/sql/sql-database.ts';
import { numberOf } from '../logstore/sql/sql-row.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';

/**
 * Inserts a definition. Resolves with false if `condition` is not met. Rejects with MonitorError if the
 * definition is not possible.
 */
export async function insertDefinition(database: MonitorDatabase, added: NewDefinition): Promise<boolean> {
  const { kind, id, definition, createdAtUnixMicro, condition = sql`true` } = added;
  const table = TABLES[kind];
  const exists = new MonitorError('exists', `Cannot create the ${kind} ${id}: it already exists.`);
  try {
    const [same = [], [counted] = [], created = []] = await database.write([
      sql`select id from ${table} where id = ${id}::text`,
      sql`select count(*) as definitions from ${table}`,
      sql`insert into ${table} (id, definition, created_at)
        select ${id}::text, ${JSON.stringify(definition)}::text, ${database.time(createdAtUnixMicro)}
        where not exists (select 1 from ${table} where id = ${id}::text)
          and (select count(*) from ${table}) < ${MAX_DEFINITIONS}::bigint and ${condition}
        returning id`,
    ]);
    if (same.length > 0) throw exists;
    if (created.length > 0) return true;
    if (counted !== undefined && numberOf(counted, 'definitions') >= MAX_DEFINITIONS) {
      throw new MonitorError(
        'invalid',
        `Cannot create the ${kind}: at most ${MAX_DEFINITIONS} are possible. Delete another one first.`,
      );
    }
    return false;
  } catch (error) {
    throw error instanceof SqlError && error.kind === 'constraint' ? exists : error;
  }
}

const TABLES = { metric: sql`metrics`, alert: sql`alerts`, 'log group': sql`log_groups` } as const;

/** Each definition causes continuous work. */
const MAX_DEFINITIONS = 500;

export interface NewDefinition {
  readonly kind: keyof typeof TABLES;
  readonly id: string;
  readonly definition: object;
  readonly createdAtUnixMicro: number;
  /** An additional condition on the store. */
  readonly condition?: Sql;
}
