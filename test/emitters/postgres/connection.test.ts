import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectionRemedy } from '../../../src/emitters/postgres/connection-remedy.ts';
import { freePort } from '../../../testkit/free-ports.ts';
import type { emitterEnvironment } from '../../support/emitter-environment.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { MISSING, PostgresStand, store } from './postgres-stand.ts';
import { TICK_MS, TickingClock } from './ticking-clock.ts';

type Log = ReturnType<typeof emitterEnvironment>['logs'][number];

const unreached = (logs: readonly Log[]) =>
  logs.filter(({ msg }) => String(msg).startsWith('Cannot reach PostgreSQL at '));

describe.skipIf(MISSING !== '')(`A PostgreSQL that cannot be reached${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  async function logOf(settings: Readonly<Record<string, unknown>>): Promise<Log | undefined> {
    const clock = new TickingClock(Date.UTC(2026, 5, 15));
    const emitter = await stand.emitter(settings, { clock });
    await clock.turnEnded(1);
    expect(unreached(emitter.logs)).toHaveLength(1);
    return unreached(emitter.logs)[0];
  }

  test('is logged once at the start with its address, and that it is reached again', async () => {
    const database = await stand.createDatabase();
    const clock = new TickingClock(Date.UTC(2026, 5, 15));
    await stand.server.stop();
    const emitter = await stand.emitter({ database }, { clock });
    await clock.turnEnded(1);
    for (let turn = 2; turn <= 4; turn++) {
      expect(await store(emitter, recordBatch(['one\n']))).toMatchObject({ kind: 'retry' });
      await clock.advance(TICK_MS);
      await clock.turnEnded(turn);
    }
    expect(unreached(emitter.logs)).toHaveLength(1);
    expect(unreached(emitter.logs)[0]?.msg).toMatch(
      /^Cannot reach PostgreSQL at postgresql:.*: connect ENOENT .*\. Records wait in the queue$/,
    );
    expect(emitter.logs).not.toContainEqual(expect.objectContaining({ work: 'schema' }));
    await stand.server.start();
    expect(await store(emitter, recordBatch(['one\n']))).toEqual({ kind: 'delivered' });
    expect(emitter.logs).toContainEqual(expect.objectContaining({ msg: 'Connected to PostgreSQL again' }));
  });

  test('because nothing listens is logged with what to check', async () => {
    const log = await logOf({ host: '127.0.0.1', port: await freePort(), database: 'logs' });
    expect(log).toMatchObject({
      reason: expect.stringContaining('ECONNREFUSED'),
      remedy: expect.stringContaining('"host" and "port"'),
    });
  });

  test('because its name is unknown is logged with what to check', async () => {
    const log = await logOf({ host: 'nowhere.invalid', database: 'logs', ssl: 'disable' });
    expect(log).toMatchObject({ remedy: expect.stringContaining('DNS') });
  });

  test('because the database is missing is logged with what to check', async () => {
    const log = await logOf({ database: 'missing' });
    expect(log).toMatchObject({ remedy: expect.stringContaining('Create the database') });
  });

  test('because the password is wrong is logged without the password', async () => {
    await stand.server.sql("create role guarded login password 'right'");
    const hba = join(stand.server.socketDirectory, 'data/pg_hba.conf');
    await rm(hba);
    await writeFile(hba, 'local all guarded scram-sha-256\nlocal all all trust\n', { mode: 0o644 });
    await stand.server.sql('select pg_reload_conf()');
    const log = await logOf({ user: 'guarded', password: 'hunter2', database: 'logs' });
    expect(log).toMatchObject({ remedy: expect.stringContaining('password_file') });
    expect(JSON.stringify(log)).not.toContain('hunter2');
  });
});

test.each([
  [Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), /ca_file/],
  [Object.assign(new Error('altnames'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }), /certificate/],
  [new Error('The server does not support SSL connections'), /"ssl" to "disable"/],
  [new Error('timeout expired'), /firewall/],
])('the remedy for "%s" names what to change', (error, expected) => {
  expect(connectionRemedy(error)).toMatch(expected);
});

test('there is no remedy for an unknown error', () => {
  expect(connectionRemedy(new Error('a thing'))).toBeUndefined();
});
