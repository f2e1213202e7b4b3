import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parsePostgresConfiguration } from '../../../src/emitters/postgres/configuration.ts';
import { tryConnection } from '../../../src/emitters/postgres/try-connection.ts';
import type { ConnectionTrial } from '../../../src/runtime/connection-trial.ts';
import { STORE_ROLE } from '../../../testkit/documented-database.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import { MISSING, PostgresStand } from './postgres-stand.ts';

describe.skipIf(MISSING !== '')(`A trial of the connection to PostgreSQL${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  async function trialOf(settings: Readonly<Record<string, unknown>>): Promise<ConnectionTrial> {
    const value = JSON.stringify({ ...stand.address, user: STORE_ROLE, ...settings });
    const [configured] = parsePostgresConfiguration(value);
    if (configured === undefined) throw new Error('nothing is configured');
    return await tryConnection(configured.configuration);
  }

  test('succeeds with the documented role, and creates nothing', async () => {
    const database = await stand.createDatabase();
    expect(await trialOf({ database })).toEqual({
      target: expect.stringContaining(`/${database} as collector`),
    });
    const client = await stand.client(database);
    const { rows } = await client.query("select 1 from pg_tables where tablename = 'log_records'");
    expect(rows).toEqual([]);
  });

  test.each([
    [
      'a missing database',
      { database: 'missing' },
      /does not exist \(SQLSTATE 3D000\)/,
      /Create the database/,
    ],
    ['a missing role', { user: 'nobody', database: 'logs' }, /SQLSTATE 28000/, /Create the role/],
    ['an unknown host', { host: 'nowhere.invalid', ssl: 'disable' }, /nowhere\.invalid/, /DNS/],
  ])('fails with the reason and the remedy for %s', async (_, settings, reason, remedy) => {
    const { failure } = await trialOf(settings);
    expect(failure?.reason).toMatch(reason);
    expect(failure?.remedy).toMatch(remedy);
  });

  test('fails where nothing listens', async () => {
    const { failure } = await trialOf({ host: '127.0.0.1', port: await freePort(), database: 'logs' });
    expect(failure).toMatchObject({
      reason: expect.stringContaining('ECONNREFUSED'),
      remedy: expect.stringContaining('"host" and "port"'),
    });
  });

  test('fails for a role that may not create the schema', async () => {
    await stand.server.sql('create role reader login; create database locked;');
    await stand.server.sql('revoke create on database locked from public');
    expect(await trialOf({ user: 'reader', database: 'locked' })).toMatchObject({
      failure: {
        reason: 'the role may not create tables in the schema "mega_collector"',
        remedy: expect.stringContaining('grant create on database'),
      },
    });
  });

  test('fails for another encoding', async () => {
    await stand.server.sql("create database latin encoding 'LATIN1' locale 'C' template template0");
    expect((await trialOf({ user: 'postgres', database: 'latin' })).failure?.reason).toContain('LATIN1');
  });

  test('fails for a wrong password, without showing it', async () => {
    await stand.server.sql("create role guarded login password 'right'");
    const hba = join(stand.server.socketDirectory, 'data/pg_hba.conf');
    await rm(hba);
    await writeFile(hba, 'local all guarded scram-sha-256\nlocal all all trust\n', { mode: 0o644 });
    await stand.server.sql('select pg_reload_conf()');
    const trial = await trialOf({ user: 'guarded', password: 'hunter2', database: 'logs' });
    expect(trial.failure?.remedy).toContain('password_file');
    expect(JSON.stringify(trial)).not.toContain('hunter2');
  });
});
