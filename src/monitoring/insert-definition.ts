import { type Sql, sql } from '../logstore/sql/sql.ts';
import { SqlError } from '../logstore/sql/sql-database.ts';
import { numberOf } from '../logstore/sql/sql-row.ts';
import { MonitorError } from './monitor.ts';
import type { MonitorDatabase } from './monitor-database.ts';

/** Each costs work all the time. */
const MAX_DEFINITIONS = 500;

export interface NewDefinition {
  readonly kind: 'metric' | 'alert';
  readonly id: string;
  readonly definition: object;
  readonly createdAtUnixMicro: number;
  /** What must hold in the store, besides. */
  readonly condition?: Sql;
}

/** Resolves with whether it was written: not so when `condition` does not hold. Rejects with MonitorError when it cannot be. */
export async function insertDefinition(database: MonitorDatabase, added: NewDefinition): Promise<boolean> {
  const { kind, id, definition, createdAtUnixMicro, condition = sql`true` } = added;
  const table = kind === 'metric' ? sql`metrics` : sql`alerts`;
  const exists = new MonitorError(
    'exists',
    `There is ${kind === 'metric' ? 'a' : 'an'} ${kind} ${id} already.`,
  );
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
        `There are ${MAX_DEFINITIONS} ${kind}s already, and no room for more.`,
      );
    }
    return false;
  } catch (error) {
    throw error instanceof SqlError && error.kind === 'constraint' ? exists : error;
  }
}
