import { Client } from 'pg';
import type { ConnectionFailure, ConnectionTrial } from '../../runtime/connection-trial.ts';
import { clientSettings, placeOf } from './client-settings.ts';
import type { PostgresConfiguration } from './configuration.ts';
import { connectionRemedy } from './connection-remedy.ts';
import { describeFailure, PRIVILEGE_HINT } from './describe-failure.ts';
import { refuseUnusableServer } from './migrate.ts';

/** Logs in and checks whether log records can be stored in the database. Creates nothing. */
export async function tryConnection(configuration: PostgresConfiguration): Promise<ConnectionTrial> {
  let target = 'PostgreSQL';
  try {
    const client = new Client(await clientSettings(configuration));
    client.on('error', () => {});
    target = `${placeOf(client)} as ${client.user ?? 'the default user'}`;
    const failure = await tryClient(client, configuration);
    return failure === undefined ? { target } : { target, failure };
  } catch (error) {
    return { target, failure: { reason: describeFailure(error), remedy: connectionRemedy(error) } };
  }
}

async function tryClient(
  client: Client,
  { schema }: PostgresConfiguration,
): Promise<ConnectionFailure | undefined> {
  try {
    await client.connect();
    await refuseUnusableServer(client);
    return (await mayStore(client, schema))
      ? undefined
      : { reason: `the role may not create tables in the schema "${schema}"`, remedy: PRIVILEGE_HINT };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** In the schema, or in the database if the schema does not exist. */
async function mayStore(client: Client, schema: string): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    `select case when to_regnamespace($1) is null then has_database_privilege(current_database(), 'create')
       else has_schema_privilege($1, 'create') and has_schema_privilege($1, 'usage') end as may`,
    [schema],
  );
  return rows[0]?.may === true;
}
