import { DatabaseError, type PoolClient } from 'pg';
import { ATTRIBUTE_COLUMNS } from '../../logstore/log-columns.ts';
import { isLogsViewOutdated, LOGS_VIEW, logsViewStatements } from '../../logstore/logs-view.ts';
import { lockStatement } from './advisory-locks.ts';

const ATTRIBUTES = `coalesce(attributes, '{}') || jsonb_strip_nulls(jsonb_build_object(${ATTRIBUTE_COLUMNS.map(
  ({ attribute, column }) => `'${attribute}', ${column}`,
).join(', ')}))`;

/**
 * Creates the view `logs`, or replaces an older one, in the transaction of `client`. The program itself never
 * reads the view. So a view that the role does not own, or that an operator has changed, stays as it is.
 */
export async function updateLogsView(client: PoolClient, schema: string): Promise<void> {
  if (!isLogsViewOutdated(await commentOf(client, schema))) return;
  await client.query(lockStatement('migration', schema));
  if (!(await mayReplace(client, schema))) return;
  await client.query('savepoint logs_view');
  try {
    for (const text of logsViewStatements(ATTRIBUTES)) await client.query(text);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await client.query('rollback to savepoint logs_view');
  }
}

async function commentOf(client: PoolClient, schema: string): Promise<string | null> {
  const { rows } = await client.query<{ comment: string | null }>(
    `select obj_description(pg_class.oid, 'pg_class') as comment from pg_class
     join pg_namespace on pg_namespace.oid = relnamespace where nspname = $1 and relname = $2`,
    [schema, LOGS_VIEW],
  );
  return rows[0]?.comment ?? null;
}

/**
 * True also after another transaction replaced the view during the wait for the lock: a second replacement
 * does no harm.
 */
async function mayReplace(client: PoolClient, schema: string): Promise<boolean> {
  const { rows } = await client.query<{ owned: boolean }>(
    `select pg_has_role(relowner, 'usage') and relkind = 'v' as owned from pg_class
     join pg_namespace on pg_namespace.oid = relnamespace where nspname = $1 and relname = $2`,
    [schema, LOGS_VIEW],
  );
  return rows[0]?.owned ?? true;
}
