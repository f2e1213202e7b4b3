import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { POSTGRES_PROGRAMS } from '../../support/postgres-server.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { MISSING, PostgresStand, store } from './postgres-stand.ts';

const isInstalled = hasTimescale();
const WHY = isInstalled ? '' : ' (skipped: the extension timescaledb is not installed)';

describe.skipIf(!isInstalled)(`TimescaleDB${WHY}`, () => {
  const stand = PostgresStand.forSuite(isInstalled ? { shared_preload_libraries: 'timescaledb' } : {});

  test('keeps log_records as a hypertable, in chunks of a day', async () => {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database, retention_age: '240h' });
    const now = Date.now();
    const records = [0, 1, 2].map(
      (days) => `{"time":"${new Date(now - days * 86_400_000).toISOString()}"}\n`,
    );
    expect(await store(emitter, recordBatch(records, { format: 'json' }))).toEqual({ kind: 'delivered' });
    const client = await stand.client(database);
    const { rows } = await client.query(
      `select count(*)::int as chunks from timescaledb_information.chunks where hypertable_name = 'log_records'`,
    );
    expect(rows).toEqual([{ chunks: 3 }]);
    const { rows: versions } = await client.query('select layout from mega_collector.store_version');
    expect(versions).toEqual([{ layout: 'timescale' }]);
    const { rows: jobs } = await client.query(
      `select proc_name from timescaledb_information.jobs where hypertable_name = 'log_records'`,
    );
    expect(jobs).toContainEqual({ proc_name: 'policy_compression' });
  });

  test('drops chunks that are older than the retention', async () => {
    const database = await stand.createDatabase();
    const old = recordBatch([`{"time":"${new Date(Date.now() - 30 * 86_400_000).toISOString()}"}\n`], {
      format: 'json',
    });
    const first = await stand.emitter({ database });
    await store(first, old);
    await stand.emitter({ database, retention_age: '240h' });
    const client = await stand.client(database);
    await expect
      .poll(async () => (await client.query('select from mega_collector.log_records')).rowCount, {
        timeout: 10_000,
      })
      .toBe(0);
  });
});

describe.skipIf(MISSING !== '')(`Without TimescaleDB${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  test.each(['auto', 'off'])(
    'log_records is partitioned by PostgreSQL (timescale: %s)',
    async (timescale) => {
      const database = await stand.createDatabase();
      const emitter = await stand.emitter({ database, timescale });
      expect(await store(emitter, recordBatch(['one\n']))).toEqual({ kind: 'delivered' });
      const { rows } = await (await stand.client(database)).query(
        'select layout from mega_collector.store_version',
      );
      expect(rows).toEqual([{ layout: 'native' }]);
    },
  );
});

/** `/usr/lib/postgresql/15/bin` has `/usr/share/postgresql/15/extension` beside it. */
function hasTimescale(): boolean {
  if (POSTGRES_PROGRAMS === undefined) return false;
  const version = POSTGRES_PROGRAMS.split('/').at(-2) ?? '';
  try {
    return readdirSync(join('/usr/share/postgresql', version, 'extension')).includes('timescaledb.control');
  } catch {
    return false;
  }
}
