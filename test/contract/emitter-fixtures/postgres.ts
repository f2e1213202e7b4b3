import { Client } from 'pg';
import { afterAll, onTestFinished } from 'vitest';
import { STORE_ROLE } from '../../../testkit/documented-database.ts';
import { POSTGRES_PROGRAMS, type PostgresServer, startPostgres } from '../../support/postgres-server.ts';
import type { EmitterFixture } from '../emitter-fixture.ts';

/** One server for all tests of the importing file, and one database for each test. */
let server: Promise<PostgresServer> | undefined;
let databases = 0;
const cleanUps: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
});

export const postgresFixture: EmitterFixture = {
  type: 'postgres',
  ...(POSTGRES_PROGRAMS === undefined && { missing: 'PostgreSQL is not installed' }),
  open: async () => {
    server ??= startPostgres({}, (cleanUp) => void cleanUps.push(cleanUp));
    const { socketDirectory, port } = await server;
    const sql = async (statements: string) => (await server)?.sql(statements);
    const database = `contract_${++databases}`;
    await (await server).createStoreDatabase(database);
    const address = { host: socketDirectory, port, user: STORE_ROLE, database };
    return {
      value: JSON.stringify(address),
      bodies: async () => {
        const client = new Client(address);
        await client.connect();
        onTestFinished(() => client.end().catch(() => {}));
        const { rows } = await client.query<{ body: string }>(
          // In the order of writing.
          'select body from mega_collector.log_records order by tableoid, ctid',
        );
        await client.end();
        return rows.map(({ body }) => body);
      },
      // As on a standby.
      refuse: async () => {
        await sql(`alter database ${database} set default_transaction_read_only = on`);
        return async () => {
          await sql(`set default_transaction_read_only = off; alter database ${database} reset all`);
        };
      },
    };
  },
};
