import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { batchOf } from '../../../src/records/batch.ts';
import { type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { MISSING, never, PostgresStand, store } from './postgres-stand.ts';

describe.skipIf(MISSING !== '')(`What can go wrong with PostgreSQL${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  describe('returns retry for', () => {
    async function reason(settings: Readonly<Record<string, unknown>>): Promise<string> {
      const outcome = await store(await stand.emitter(settings), recordBatch(['one\n']));
      expect(outcome).toMatchObject({ kind: 'retry', rolledBack: true });
      return outcome.kind === 'retry' ? outcome.reason : '';
    }

    test('an unreachable server', async () => {
      expect(await reason({ host: '/nonexistent', database: 'postgres' })).toMatch(
        /^postgresql:\/\/\/nonexistent:\d+\/postgres: connect ENOENT/,
      );
    });

    test('a missing database', async () => {
      expect(await reason({ database: 'nobody_made_it' })).toMatch(/does not exist \(SQLSTATE 3D000\)$/);
    });

    test('a wrong password, without showing it', async () => {
      const database = await stand.createDatabase();
      await stand.server.sql("create role guarded login password 'right'");
      const hba = join(stand.server.socketDirectory, 'data/pg_hba.conf');
      writeFileSync(hba, `local all guarded scram-sha-256\n${readFileSync(hba, 'utf8')}`);
      await stand.server.sql('select pg_reload_conf()');
      const settings = { database, user: 'guarded', password: 'hunter2' };
      const said = await reason(settings);
      expect(said).toMatch(/password authentication failed.*SQLSTATE 28P01/);
      expect(said).not.toContain('hunter2');
    });

    test('a role without permission to create tables, with the required permission', async () => {
      const database = await stand.createDatabase();
      await stand.server.sql('create role poor login');
      expect(await reason({ database, user: 'poor' })).toMatch(/SQLSTATE 42501.*must own the schema/s);
    });

    test('tables of an unknown version', async () => {
      const database = await stand.createDatabase();
      const emitter = await stand.emitter({ database });
      await store(emitter, recordBatch(['one\n']));
      await stand.server.sql(`insert into mega_collector.store_version values (99, 'native', now())`, {
        database,
      });
      expect(await reason({ database })).toMatch(
        /has version 99, and this program supports versions up to 1/,
      );
      const { rows } = await (await stand.client(database)).query(
        'select body from mega_collector.log_records',
      );
      expect(rows).toEqual([{ body: 'one' }]);
    });

    test('a column without a default that the operator added, and rejects no record', async () => {
      const database = await stand.createDatabase();
      const emitter = await stand.emitter({ database });
      expect(await store(emitter, recordBatch([]))).toEqual({ kind: 'delivered' });
      await store(emitter, recordBatch(['one\n']));
      await stand.server.sql(
        `delete from mega_collector.log_records; alter table mega_collector.log_records add column team text not null`,
        { database },
      );
      expect(await store(emitter, recordBatch(['two\n']))).toMatchObject({
        kind: 'retry',
        reason: expect.stringMatching(/SQLSTATE 23502.*column "team" was added/s),
      });
    });

    test('row-level security that is forced on the owner, with the command that ends it', async () => {
      const database = await stand.createDatabase();
      const emitter = await stand.emitter({ database });
      await store(emitter, recordBatch(['one\n']));
      await stand.server.sql(
        'alter table mega_collector.log_records enable row level security, force row level security',
        { database },
      );
      expect(await reason({ database })).toMatch(/no force row level security/);
    });

    test('a database of another encoding, with the command that creates one', async () => {
      await stand.server.sql(
        `create database latin encoding latin1 lc_collate 'C' lc_ctype 'C' template template0`,
      );
      await stand.server.sql('grant create on database latin to collector');
      expect(await reason({ database: 'latin' })).toMatch(
        /"latin" has the encoding LATIN1, and log records need UTF8: run "create database NAME encoding 'UTF8'/,
      );
    });

    test('a lock held by another client', async () => {
      const database = await stand.createDatabase();
      const emitter = await stand.emitter({ database, statement_timeout: '300ms' });
      const batch = recordBatch(lines(2));
      await store(emitter, sliceRecords(batch, 0, 1));
      const other = await stand.client(database);
      await other.query('begin; select from mega_collector.streams for update');
      expect(await store(emitter, batch)).toMatchObject({
        kind: 'retry',
        reason: expect.stringMatching(/55P03|57014/),
      });
      await other.query('rollback');
      expect(await store(emitter, batch)).toEqual({ kind: 'delivered' });
    });
  });

  test('reopen reads a changed password again', async () => {
    const database = await stand.createDatabase();
    await stand.server.sql("create role changing login superuser password 'old'");
    const hba = join(stand.server.socketDirectory, 'data/pg_hba.conf');
    writeFileSync(hba, `local all changing scram-sha-256\n${readFileSync(hba, 'utf8')}`);
    await stand.server.sql('select pg_reload_conf()');
    const directory = await mkdtemp(join(tmpdir(), 'mega-collector-test-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const password_file = join(directory, 'password');
    writeFileSync(password_file, 'old\n');
    const emitter = await stand.emitter({ database, user: 'changing', password_file });
    expect(await store(emitter, recordBatch(['one\n']))).toEqual({ kind: 'delivered' });
    await stand.server.sql("alter role changing password 'new'");
    writeFileSync(password_file, 'new\n');
    await emitter.reopen();
    expect(await store(emitter, recordBatch(['two\n']))).toEqual({ kind: 'delivered' });
    await rm(password_file);
    await emitter.reopen();
    expect(await store(emitter, recordBatch(['three\n']))).toEqual({ kind: 'delivered' });
    expect(emitter.logs).toContainEqual(
      expect.objectContaining({ msg: expect.stringContaining('Cannot reload the files') }),
    );
  });

  test('an aborted flush ends', async () => {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database });
    const batch = recordBatch(lines(2));
    await store(emitter, sliceRecords(batch, 0, 1));
    const other = await stand.client(database);
    await other.query('begin; select from mega_collector.streams for update');
    await emitter.emit(batchOf([batch]));
    const stopping = new AbortController();
    const flushed = emitter.flush(stopping.signal);
    await stand.somebodyWaits(database);
    stopping.abort(new Error('the deadline has passed'));
    expect(await flushed).toMatchObject({ kind: 'retry', reason: expect.stringContaining('deadline') });
    await other.query('rollback');
    expect(await store(emitter, batch)).toEqual({ kind: 'delivered' });
  });

  test('invalid stored ranges stop the delivery of their stream', async () => {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database });
    const batch = recordBatch(['one\n']);
    await store(emitter, batch);
    for (const ranges of ['nonsense', '[[5,3]]', '[[0,2],[2,4]]', '{"0":4}', '[["0",4]]']) {
      await stand.server.sql(`update mega_collector.streams set ranges = '${ranges}'`, { database });
      expect(await store(emitter, batch)).toMatchObject({
        kind: 'retry',
        reason: expect.stringContaining('invalid ranges in table "streams'),
      });
    }
  });

  test('a database with synchronous_commit off still stores durably', async () => {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database });
    await store(emitter, recordBatch(['one\n']));
    await stand.server.sql(
      `alter database ${database} set synchronous_commit = off;
       create table public.seen (setting text); grant insert on public.seen to collector;
       create function public.look() returns trigger language plpgsql as $$ begin
         insert into public.seen values (current_setting('synchronous_commit')); return new; end $$;
       create trigger look before insert on mega_collector.log_records for each row execute function public.look()`,
      { database },
    );
    await store(await stand.emitter({ database }), recordBatch(['two\n']));
    const { rows } = await (await stand.client(database)).query('select setting from public.seen');
    expect(rows).toEqual([{ setting: 'local' }]);
  });

  test('a role that owns its schema needs no other permission', async () => {
    const database = await stand.createDatabase();
    await stand.server.sql('create role modest login');
    await stand.server.sql('create schema logs authorization modest', { database });
    const emitter = await stand.emitter({ database, user: 'modest', schema: 'logs', retention_age: '24h' });
    expect(await store(emitter, recordBatch(['one\n']))).toEqual({ kind: 'delivered' });
  });

  test('a schema of an earlier version gets the tables that are missing', async () => {
    const database = await stand.createDatabase();
    expect(await store(await stand.emitter({ database }), recordBatch(['one\n']))).toEqual({
      kind: 'delivered',
    });
    const client = await stand.client(database);
    await client.query('drop table mega_collector.log_groups, mega_collector.alert_silences');
    expect(await store(await stand.emitter({ database }), recordBatch(['two\n']))).toEqual({
      kind: 'delivered',
    });
    const { rows } = await client.query(
      'select (select count(*) from mega_collector.log_groups) + (select count(*) from mega_collector.alert_silences) as rows',
    );
    expect(rows).toEqual([{ rows: '0' }]);
  });

  test('dropped tables are created again', async () => {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database });
    const batch = recordBatch(['one\n']);
    await store(emitter, batch);
    const client = await stand.client(database);
    // Housekeeping may be in the way at first.
    await expect
      .poll(() => client.query('drop schema mega_collector cascade').then(() => 'dropped', String), {
        timeout: 10_000,
      })
      .toBe('dropped');
    expect(await store(emitter, batch)).toMatchObject({ kind: 'retry' });
    expect(await store(emitter, batch)).toEqual({ kind: 'delivered' });
  });

  describe('rejects a record', () => {
    async function guarded() {
      const database = await stand.createDatabase();
      const emitter = await stand.emitter({ database });
      await store(emitter, recordBatch(['first\n']));
      await stand.server.sql(
        `alter table mega_collector.log_records add constraint no_poison check (body not like '%poison%')`,
        { database },
      );
      return { database, emitter };
    }
    const slice = (...bodies: readonly string[]): RecordBatch =>
      recordBatch(bodies.map((body) => `${body}\n`));

    test('that is named within its batch', async () => {
      const { emitter } = await guarded();
      await emitter.emit(batchOf([slice('a', 'b'), slice('c', 'poison', 'e')]));
      expect(await emitter.flush(never)).toEqual({
        kind: 'rejected',
        reason: expect.stringMatching(/violates check constraint "no_poison" \(SQLSTATE 23514\)$/),
        records: [3],
        rolledBack: true,
      });
    });

    test('that is named, also if a part of the batch is already stored', async () => {
      const { emitter } = await guarded();
      const whole = slice('a', 'b', 'c', 'poison', 'e');
      await store(emitter, sliceRecords(whole, 1, 3));
      await emitter.emit(batchOf([slice('x'), whole]));
      expect(await emitter.flush(never)).toMatchObject({ kind: 'rejected', records: [4] });
    });

    test('that is not named while there are several batches', async () => {
      const { emitter } = await guarded();
      const outcome = await store(emitter, slice('a'), slice('poison'));
      expect(outcome).toEqual({ kind: 'rejected', reason: expect.any(String), rolledBack: true });
    });

    test('and rolls back the whole flush', async () => {
      const { emitter, database } = await guarded();
      const batch = slice('a', 'poison');
      await store(emitter, batch);
      await store(emitter, sliceRecords(batch, 0, 1));
      const { rows } = await (await stand.client(database)).query(
        'select body from mega_collector.log_records',
      );
      expect(rows).toEqual([{ body: 'first' }, { body: 'a' }]);
    });

    test('after an error raised by a trigger', async () => {
      const { emitter, database } = await guarded();
      await stand.server.sql(
        `create function public.refuse() returns trigger language plpgsql as $$ begin
           if new.body = 'bad' then raise exception 'not this one'; end if; return new; end $$;
         create trigger refuse before insert on mega_collector.log_records for each row execute function public.refuse()`,
        { database },
      );
      await emitter.emit(batchOf([slice('good', 'bad')]));
      expect(await emitter.flush(never)).toMatchObject({ kind: 'rejected', records: [1] });
    });

    test('without quoting it', async () => {
      const { emitter } = await guarded();
      const outcome = await store(emitter, slice('my password is poison'));
      expect(JSON.stringify(outcome)).not.toContain('my password');
    });
  });

  test('a full disk causes retries until it has space', async ({ skip }) => {
    const small = await mkdtemp(join(tmpdir(), 'mega-collector-small-'));
    onTestFinished(() => rm(small, { recursive: true, force: true }));
    skip(!mountSmall(small), 'no small file system can be mounted here');
    onTestFinished(() => void execFileSync('umount', ['-l', small]));
    const { uid, gid } = statSync(stand.server.socketDirectory);
    chownSync(small, uid, gid);
    chmodSync(small, 0o700);
    await stand.server.sql(`create tablespace small location '${small}'`);
    await stand.server.sql('create database on_small tablespace small');
    await stand.server.sql('grant create on database on_small to collector');
    onTestFinished(async () => {
      await stand.server.sql('drop database on_small with (force)');
      await stand.server.sql('drop tablespace small');
    });
    const emitter = await stand.emitter({ database: 'on_small' });
    await store(emitter, recordBatch(['first\n']));
    const batch = recordBatch(lines(8000, incompressible()));
    expect(await store(emitter, batch)).toMatchObject({
      kind: 'retry',
      reason: expect.stringMatching(/SQLSTATE 53100/),
    });
    execFileSync('mount', ['-o', 'remount,size=200m', small]);
    expect(await store(emitter, batch)).toEqual({ kind: 'delivered' });
  });
});

function incompressible(): string {
  return Array.from({ length: 250 }, () => Math.random().toString(36).slice(2, 10)).join('');
}

/** A file system of a few megabytes in memory; false: we may not. */
function mountSmall(path: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
