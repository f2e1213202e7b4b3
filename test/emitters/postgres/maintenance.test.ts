import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { MISSING, PostgresStand, store } from './postgres-stand.ts';
import { TICK_MS, TickingClock } from './ticking-clock.ts';

const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 5, 15, 12);
const DAYS_AHEAD = [
  'log_records_20260614',
  'log_records_20260615',
  'log_records_20260616',
  'log_records_20260617',
];

/** One record for each of these times. */
function at(...times: readonly (number | string)[]): RecordBatch {
  const records = times.map((time) => `${JSON.stringify({ time: new Date(time).toISOString() })}\n`);
  return recordBatch(records, { format: 'json' });
}

describe.skipIf(MISSING !== '')(`Housekeeping in PostgreSQL${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  async function opened(
    settings: Readonly<Record<string, unknown>> = {},
    databaseSettings: readonly string[] = [],
  ) {
    const database = await stand.createDatabase();
    for (const setting of databaseSettings)
      await stand.server.sql(`alter database ${database} set ${setting}`);
    const clock = new TickingClock(NOON);
    const emitter = await stand.emitter({ database, ...settings }, { clock });
    const client = await stand.client(database);
    await client.query(`set search_path = mega_collector; set timezone = 'UTC'`);
    await clock.turnEnded(1);
    /** Lets `ms` pass, and the housekeeping that is due then end. */
    const pass = async (ms: number) => {
      const { ticks } = clock;
      clock.jumpWallClock(ms - TICK_MS);
      await clock.advance(TICK_MS);
      await clock.turnEnded(ticks + 1);
    };
    return { database, clock, emitter, client, pass };
  }

  async function partitions(client: Client): Promise<Record<string, number>> {
    const { rows } = await client.query<{ name: string; rows: number }>(
      `select relname as name, (select count(*)::int from log_records where tableoid = pg_class.oid) as rows
       from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'log_records'::regclass order by 1`,
    );
    return Object.fromEntries(rows.map(({ name, rows }) => [name, rows]));
  }

  describe('partitions', () => {
    test('are created before the day begins', async () => {
      const { client, pass } = await opened();
      expect(Object.keys(await partitions(client))).toEqual([
        ...DAYS_AHEAD,
        'log_records_default',
        'log_records_old',
      ]);
      await pass(DAY_MS);
      expect(Object.keys(await partitions(client))).toContain('log_records_20260618');
    });

    test('are created for the days of records', async () => {
      const { client, emitter } = await opened();
      await store(emitter, at(NOON, NOON - 10 * DAY_MS, NOON - 10 * DAY_MS + 1, NOON - 40 * DAY_MS));
      expect(await partitions(client)).toMatchObject({
        log_records_20260615: 1,
        log_records_20260605: 2,
        log_records_20260506: 1,
        log_records_default: 0,
        log_records_old: 0,
      });
      await store(emitter, at(NOON - 10 * DAY_MS));
      expect(await partitions(client)).toMatchObject({ log_records_20260605: 3, log_records_default: 0 });
    });

    test('are created step by step for an old file', async () => {
      const { client, emitter, pass } = await opened();
      await pass(200 * DAY_MS);
      const days = Array.from({ length: 150 }, (_, index) => NOON + (5 + index) * DAY_MS);
      await store(emitter, at(...days));
      expect(await partitions(client)).toMatchObject({ log_records_default: 90 });
      await pass(60_000);
      await pass(60_000);
      expect(await partitions(client)).toMatchObject({ log_records_default: 0, log_records_20260620: 1 });
    });

    test('use UTC, independently of the database settings', async () => {
      const { client, emitter } = await opened({}, [`timezone = 'Asia/Tokyo'`, `datestyle = 'German, DMY'`]);
      await client.query(`set datestyle = 'ISO'`);
      await store(emitter, at('2026-06-14T23:59:59.999Z', '2026-06-15T00:00:00Z', '2026-06-01T00:00:00Z'));
      expect(await partitions(client)).toMatchObject({
        log_records_20260601: 1,
        log_records_20260614: 1,
        log_records_20260615: 1,
        log_records_default: 0,
      });
    });

    test('collect all records older than the store in one partition', async () => {
      const { client, emitter } = await opened();
      await store(emitter, at(NOON - 400 * DAY_MS, '1970-01-01T00:00:00Z'));
      expect(await partitions(client)).toMatchObject({ log_records_old: 2, log_records_default: 0 });
    });

    test('receive earlier rows of their day when they are created', async () => {
      const { client, emitter, pass } = await opened();
      await store(emitter, at(NOON + 5 * DAY_MS, NOON + 5 * DAY_MS + 1, '2199-12-31T23:59:59Z'));
      expect(await partitions(client)).toMatchObject({ log_records_default: 3 });
      await pass(4 * DAY_MS);
      expect(await partitions(client)).toMatchObject({ log_records_20260620: 2, log_records_default: 1 });
      const { rows } = await client.query(
        `select count(*)::int as rows from log_records where time >= '2026-06-20'`,
      );
      expect(rows).toEqual([{ rows: 3 }]);
    });

    test('are created by one of several concurrent aggregators', async () => {
      const { client, emitter, database, clock } = await opened();
      const other = await stand.emitter({ database }, { clock });
      const days = Array.from({ length: 20 }, (_, index) => NOON - (5 + index) * DAY_MS);
      const outcomes = await Promise.all([store(emitter, at(...days)), store(other, at(...days))]);
      expect(outcomes).toEqual([{ kind: 'delivered' }, { kind: 'delivered' }]);
      const { rows } = await client.query('select count(*)::int as rows from log_records');
      expect(rows).toEqual([{ rows: 40 }]);
    });

    test.each([
      [
        'a generated column',
        `add column body_words tsvector generated always as (to_tsvector('simple', body)) stored`,
      ],
      [
        'an identity',
        'add column number bigint not null default 0; alter table log_records alter number drop default; alter table only log_records alter number add generated by default as identity',
      ],
      ['a column with a default', `add column team text not null default 'blue'`],
      ['a serial number', 'add column serial bigserial'],
    ])(
      'are made for a table that has got %s, and rows of the default partition move there',
      async (_, change) => {
        const { client, emitter, pass } = await opened();
        await client.query(`alter table log_records ${change}`);
        await store(emitter, at(NOON + 5 * DAY_MS, NOON - 12 * DAY_MS));
        expect(await partitions(client)).toMatchObject({ log_records_20260603: 1, log_records_default: 1 });
        await pass(4 * DAY_MS);
        expect(await partitions(client)).toMatchObject({ log_records_20260620: 1, log_records_default: 0 });
        await store(emitter, at(NOON + 5 * DAY_MS));
        expect(await partitions(client)).toMatchObject({ log_records_20260620: 2 });
        expect(emitter.logs).not.toContainEqual(expect.objectContaining({ work: 'partitions' }));
      },
    );

    test('receive rows that piled up in a default partition with another order of columns', async () => {
      const { client, emitter, pass } = await opened();
      await client.query(`alter table log_records detach partition log_records_default;
        alter table log_records_default rename to was_default;
        create table log_records_default as select position, stream, body, time, observed_time, severity_number,
          severity_text, host, service, source, format, attributes, client_address, user_name, http_request_method,
          url_path, network_protocol_version, http_response_status_code, http_response_body_size from was_default;
        alter table log_records_default alter position set not null, alter stream set not null, alter body set not null,
          alter time set not null, alter observed_time set not null, alter format set not null,
          owner to collector;
        alter table log_records attach partition log_records_default default`);
      await store(emitter, at(NOON + 5 * DAY_MS));
      expect(await partitions(client)).toMatchObject({ log_records_default: 1 });
      await pass(4 * DAY_MS);
      expect(await partitions(client)).toMatchObject({ log_records_20260620: 1, log_records_default: 0 });
    });

    test('are made for a table with an index, a trigger and row-level security of the operator', async () => {
      const { client, emitter } = await opened();
      await client.query(`create index on log_records using gin (attributes);
        create function public.same() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger same before insert on log_records for each row execute function public.same();
        alter table log_records enable row level security`);
      expect(await store(emitter, at(NOON - 12 * DAY_MS))).toEqual({ kind: 'delivered' });
      expect(await partitions(client)).toMatchObject({ log_records_20260603: 1, log_records_default: 0 });
    });

    test('block no flush for long while the default partition is being read', async () => {
      const { client, emitter, database } = await opened();
      const reader = await stand.client(database);
      await reader.query('begin; select * from mega_collector.log_records_default');
      expect(await store(emitter, at(NOON - 20 * DAY_MS))).toEqual({ kind: 'delivered' });
      expect(await store(emitter, at(NOON - 20 * DAY_MS))).toEqual({ kind: 'delivered' });
      expect(emitter.logs).toContainEqual(expect.objectContaining({ work: 'partitions' }));
      await reader.query('rollback');
      expect(await partitions(client)).toMatchObject({ log_records_default: 2 });
    });

    test('are left out of searches that cannot find anything in them', async () => {
      const { client, emitter } = await opened();
      await store(emitter, at(NOON, NOON - 10 * DAY_MS));
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain select * from log_records where time >= '2026-06-15' and time < '2026-06-16' order by time desc limit 10`,
      );
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(plan).toContain('log_records_20260615');
      expect(plan).not.toContain('log_records_20260605');
      expect(plan).not.toContain('log_records_default');
      expect(plan).not.toContain('log_records_old');
    });
  });

  describe('retention', () => {
    test('drops whole days, and deletes older rows outside of them', async () => {
      const { client, emitter, pass } = await opened({ retention_age: '240h' });
      await store(emitter, at(NOON, NOON - 5 * DAY_MS, NOON - 9 * DAY_MS, NOON - 500 * DAY_MS));
      await pass(60_000);
      expect(await partitions(client)).toMatchObject({ log_records_20260606: 1, log_records_old: 0 });
      await pass(7 * DAY_MS);
      expect(await partitions(client)).toEqual(
        expect.not.objectContaining({
          log_records_20260606: expect.anything(),
          log_records_20260610: expect.anything(),
        }),
      );
      const { rows } = await client.query('select count(*)::int as rows from log_records');
      expect(rows).toEqual([{ rows: 1 }]);
    });

    test('counts from reading: an imported archive stays, and leaves when it is old enough', async () => {
      const { client, emitter, pass } = await opened({ retention_age: '240h' });
      const archive = {
        ...at(NOON - 20 * DAY_MS, NOON - 300 * DAY_MS, NOON - 5000 * DAY_MS),
        observedTimeUnixNano: BigInt(NOON) * 1_000_000n,
      };
      await store(emitter, archive);
      const rows = async () => (await client.query('select from log_records')).rowCount;
      await pass(60_000);
      await pass(9 * DAY_MS);
      expect(await rows()).toBe(3);
      await pass(2 * DAY_MS);
      expect(await rows()).toBe(0);
      expect(emitter.logs).toContainEqual(
        expect.objectContaining({ partition: 'log_records_20260526', rows: 1 }),
      );
      expect(emitter.logs).toContainEqual(expect.objectContaining({ table: 'log_records_old', rows: 2 }));
      const metrics = await emitter.metrics.metrics();
      expect(metrics).toMatch(/^aggregator_emitter_postgres_expired_rows_total\{.*\} 3$/m);
      expect(metrics).toMatch(/^aggregator_emitter_postgres_dropped_partitions_total\{.*\} [1-9]\d*$/m);
    });

    test('does not drop a day that has received a newer record in the meantime', async () => {
      const { client, emitter, pass } = await opened({ retention_age: '240h' });
      const readAt = (unixMs: number) => ({
        ...at(NOON - 20 * DAY_MS),
        observedTimeUnixNano: BigInt(unixMs) * 1_000_000n,
      });
      await store(emitter, readAt(NOON));
      await pass(60_000);
      await store(emitter, readAt(NOON + 9 * DAY_MS));
      await pass(11 * DAY_MS);
      expect((await client.query('select from log_records')).rowCount).toBe(2);
      await pass(9 * DAY_MS);
      expect((await client.query('select from log_records')).rowCount).toBe(0);
    });

    test('is off by default', async () => {
      const { client, emitter, pass } = await opened();
      await store(emitter, at(NOON - 30 * DAY_MS));
      await pass(1000 * DAY_MS);
      const { rows } = await client.query('select count(*)::int as rows from log_records');
      expect(rows).toEqual([{ rows: 1 }]);
    });
  });

  test('deletes old bookkeeping entries, but no stream', async () => {
    const { client, emitter, pass } = await opened();
    await store(emitter, at(NOON));
    await client.query(`update stored_ranges set stored_at = now() - interval '61 minutes'`);
    await client.query(`update touched_minutes set stored_at = now() - interval '49 hours'`);
    await client.query(`update streams set updated_at = now() - interval '700 days'`);
    await client.query(`insert into writers values (gen_random_uuid(), 3, now() - interval '8 days')`);
    await client.query(`update writers set seen_at = now() - interval '9 days' where last_flush = 1`);
    await pass(60_000);
    const { rows } = await client.query(
      `select (select count(*)::int from stored_ranges) as stored, (select count(*)::int from touched_minutes) as touched,
         (select count(*)::int from streams) as streams, (select count(*)::int from writers) as writers`,
    );
    // The one that runs is still there, though it has had nothing to write for long.
    expect(rows).toEqual([{ stored: 0, touched: 0, streams: 1, writers: 1 }]);
  });

  test('skips work that another aggregator is doing', async () => {
    const { client, pass, emitter } = await opened({ retention_age: '24h' });
    await store(emitter, at(NOON));
    await client.query('begin');
    for (const kind of [1, 2, 3]) {
      await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [
        0x6d_65_67_00 + kind,
        'mega_collector',
      ]);
    }
    await pass(10 * DAY_MS);
    expect(Object.keys(await partitions(client))).toEqual([
      ...DAYS_AHEAD,
      'log_records_default',
      'log_records_old',
    ]);
    await client.query('rollback');
    await pass(60_000);
    expect(Object.keys(await partitions(client))).toContain('log_records_20260625');
  });
});
