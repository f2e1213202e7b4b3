import type { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import type { PostgresEmitter } from '../../../src/emitters/postgres/postgres-emitter.ts';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { contextRequest, searchRequest } from '../../../src/logstore/logs/log-requests.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { TIMESCALE_MISSING, TIMESCALE_SETTINGS } from '../../support/timescale.ts';
import { MISSING, PostgresStand, store } from './postgres-stand.ts';
import { TickingClock } from './ticking-clock.ts';

const isInstalled = TIMESCALE_MISSING === undefined;
const WHY = isInstalled ? '' : ` (skipped: ${TIMESCALE_MISSING})`;
const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 5, 15, 12);

/** One record for each of these days before noon, read at noon or so many days before. */
function daysAgo(days: readonly number[], { readDaysAgo = 0 } = {}) {
  const records = days.map((day) => `{"time":"${new Date(NOON - day * DAY_MS).toISOString()}"}\n`);
  const observedTimeUnixNano = BigInt(NOON - readDaysAgo * DAY_MS) * 1_000_000n;
  return recordBatch(records, { format: 'json', observedTimeUnixNano });
}

const range = (length: number) => Array.from({ length }, (_, index) => index);

async function chunksOf(client: Client): Promise<number> {
  const { rowCount } = await client.query(
    `select from timescaledb_information.chunks where hypertable_name = 'log_records'`,
  );
  return rowCount ?? 0;
}

async function rowsOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    'select count(*)::int as n from mega_collector.log_records',
  );
  return rows[0]?.n ?? 0;
}

describe.skipIf(!isInstalled)(`TimescaleDB${WHY}`, () => {
  const stand = PostgresStand.forSuite(isInstalled ? TIMESCALE_SETTINGS : {});

  async function opened(settings: Readonly<Record<string, unknown>> = {}) {
    const database = await stand.createDatabase();
    const clock = new TickingClock(NOON);
    const emitter = await stand.emitter({ database, ...settings }, { clock });
    await clock.turnEnded(1);
    return { database, clock, emitter, client: await stand.client(database) };
  }

  test('keeps log_records as a hypertable with chunks of a day, for an ordinary role', async () => {
    const { emitter, client } = await opened();
    expect(await store(emitter, daysAgo([0, 1, 2]))).toEqual({ kind: 'delivered' });
    expect(await chunksOf(client)).toBe(3);
    const { rows: versions } = await client.query('select layout from mega_collector.store_version');
    expect(versions).toEqual([{ layout: 'timescale' }]);
    const { rows: jobs } = await client.query(
      `select proc_name from timescaledb_information.jobs where hypertable_name = 'log_records'`,
    );
    expect(jobs).toContainEqual({ proc_name: 'policy_compression' });
    expect(emitter.logs).toContainEqual(
      expect.objectContaining({ layout: 'timescale', reason: expect.stringContaining('timescaledb') }),
    );
  });

  test('uses an extension that the operator has created', async () => {
    const database = await stand.createDatabase();
    await stand.server.sql('create schema extensions; create extension timescaledb with schema extensions', {
      database,
    });
    const client = await stand.client(database);
    const refused = await stand.emitter({ database, schema: 'without' });
    expect(await store(refused, daysAgo([0]))).toEqual({ kind: 'delivered' });
    expect(refused.logs).toContainEqual(
      expect.objectContaining({
        layout: 'native',
        remedy: expect.stringContaining('grant usage on schema "extensions" to "collector"'),
      }),
    );
    await client.query('grant usage on schema extensions to collector');
    const emitter = await stand.emitter({ database });
    expect(await store(emitter, daysAgo([0]))).toEqual({ kind: 'delivered' });
    expect(await chunksOf(client)).toBe(1);
  });

  test('is named with the command to run when the role may not create the extension', async () => {
    const database = await stand.createDatabase();
    await stand.server.sql(
      `revoke create on database ${database} from collector; create schema mega_collector authorization collector`,
      { database },
    );
    const emitter = await stand.emitter({ database });
    expect(await store(emitter, daysAgo([0]))).toEqual({ kind: 'delivered' });
    expect(emitter.logs).toContainEqual(
      expect.objectContaining({
        layout: 'native',
        reason: expect.stringContaining('permission denied'),
        remedy: expect.stringContaining('create extension timescaledb'),
      }),
    );
  });

  test('does not change tables that PostgreSQL partitions already, and the log states it', async () => {
    const database = await stand.createDatabase();
    await store(await stand.emitter({ database, timescale: 'off' }), daysAgo([0]));
    await stand.server.sql('create extension timescaledb', { database });
    const emitter = await stand.emitter({ database });
    expect(await store(emitter, daysAgo([1]))).toEqual({ kind: 'delivered' });
    expect(emitter.logs).toContainEqual(
      expect.objectContaining({ layout: 'native', remedy: expect.stringContaining('another "schema"') }),
    );
  });

  test('drops chunks that are older than the retention, and counts them', async () => {
    const { database, clock, emitter, client } = await opened();
    await store(emitter, daysAgo([30, 20], { readDaysAgo: 20 }));
    await store(emitter, daysAgo([0]));
    const second = await stand.emitter({ database, retention_age: '240h' }, { clock });
    await clock.turnEnded(2);
    expect(await chunksOf(client)).toBe(1);
    expect(await rowsOf(client)).toBe(1);
    const dropped = second.logs.filter(({ partition }) => partition !== undefined);
    expect(dropped.map(({ rows }) => rows)).toEqual([1, 1]);
  });

  test('keeps an archive that was imported a moment ago, also when its chunks are compressed', async () => {
    const { database, clock, emitter, client } = await opened();
    await store(emitter, daysAgo([30, 20]));
    const compress = `select compress_chunk(format('%I.%I', chunk_schema, chunk_name)::regclass)
      from timescaledb_information.chunks where hypertable_name = 'log_records'`;
    await client.query(compress);
    await stand.emitter({ database, retention_age: '240h' }, { clock });
    await clock.turnEnded(2);
    expect(await rowsOf(client)).toBe(2);
  });

  test('makes a limited number of chunks for records of 6,000 days in one flush', {
    timeout: 120_000,
  }, async () => {
    const { emitter, client } = await opened();
    expect(await store(emitter, daysAgo(range(6000)))).toEqual({ kind: 'delivered' });
    expect(await rowsOf(client)).toBe(6000);
    expect(await chunksOf(client)).toBeLessThan(30);
    await store(emitter, daysAgo([-1, -2, -3]));
    const { rows } = await client.query<{ days: number }>(
      `select extract(days from time_interval)::int as days from timescaledb_information.dimensions
       where hypertable_name = 'log_records'`,
    );
    expect(rows).toEqual([{ days: 1 }]);
  });

  test('makes longer chunks when the table has a thousand of them', { timeout: 300_000 }, async () => {
    const { emitter, client } = await opened();
    for (let from = 0; from < 1200; from += 50) {
      await store(emitter, daysAgo(range(50).map((day) => from + day)));
    }
    expect(await rowsOf(client)).toBe(1200);
    expect(await chunksOf(client)).toBeLessThan(1100);
  });

  test('drops more chunks than one transaction has locks for', { timeout: 300_000 }, async () => {
    const { database, clock, emitter, client } = await opened();
    for (let from = 20; from < 620; from += 50) {
      await store(
        emitter,
        daysAgo(
          range(50).map((day) => from + day),
          { readDaysAgo: 20 },
        ),
      );
    }
    expect(await chunksOf(client)).toBe(600);
    await client.query('alter system set max_locks_per_transaction = 10');
    await stand.server.stop();
    await stand.server.start();
    const again = await stand.emitter({ database, retention_age: '240h' }, { clock });
    await clock.turnEnded(2);
    await expect.poll(async () => chunksOf(await stand.client(database)), { timeout: 120_000 }).toBe(0);
    expect(again.logs).not.toContainEqual(expect.objectContaining({ work: 'retention' }));
  });
});

/** A multiple of 60. With 1,020 the test takes minutes: `CHUNKS=1020`. */
const CHUNKS = Number(process.env.CHUNKS ?? 240);

/** Each in its own transaction: one has a limited number of locks. */
const COMPRESS_ALL = `do $$ declare chunk regclass; begin
  for chunk in select show_chunks('mega_collector.log_records') loop
    perform compress_chunk(chunk, if_not_compressed => true);
    commit;
  end loop; end $$`;

describe.skipIf(!isInstalled)(`Compressed chunks of TimescaleDB${WHY}`, () => {
  const stand = PostgresStand.forSuite(isInstalled ? TIMESCALE_SETTINGS : {});

  async function opened() {
    const database = await stand.createDatabase();
    const clock = new TickingClock(NOON);
    const emitter = await stand.emitter({ database }, { clock });
    await clock.turnEnded(1);
    return { database, clock, emitter, client: await stand.client(database) };
  }

  function searchIn(emitter: PostgresEmitter) {
    return createLogSearch(emitter.database, { clock: new FakeClock(NOON), timeoutMs: 60_000 });
  }

  test('are made after seven days by the policy', async () => {
    const { emitter, client } = await opened();
    await store(emitter, daysAgo([0, 30]));
    const { rows } = await client.query<{ id: number; after: string }>(
      `select job_id as id, config ->> 'compress_after' as after from timescaledb_information.jobs
       where proc_name = 'policy_compression'`,
    );
    expect(rows).toMatchObject([{ after: '7 days' }]);
    await client.query(`call run_job(${rows[0]?.id})`);
    const { rows: chunks } = await client.query(
      'select is_compressed as compressed from timescaledb_information.chunks order by range_start',
    );
    expect(chunks).toEqual([{ compressed: true }, { compressed: true }]);
  });

  test('receive late records exactly once, and are searched by text and by neighbours', async () => {
    const { emitter, client } = await opened();
    const time = (second: number) => new Date(NOON - 30 * DAY_MS + second * 1000).toISOString();
    const line = (second: number, word: string) => `${JSON.stringify({ time: time(second), msg: word })}\n`;
    const first = recordBatch([line(1, 'one'), line(2, 'two')], { format: 'json' });
    expect(await store(emitter, first)).toEqual({ kind: 'delivered' });
    await client.query(COMPRESS_ALL);
    const { stream } = first;
    const late = recordBatch([line(3, 'a needle'), line(4, 'four')], {
      ...{ stream, format: 'json', start: first.data.length },
    });
    expect(await store(emitter, first)).toEqual({ kind: 'delivered' });
    expect(await store(emitter, late)).toEqual({ kind: 'delivered' });
    expect(await store(emitter, late)).toEqual({ kind: 'delivered' });
    expect(await rowsOf(client)).toBe(4);
    await client.query(COMPRESS_ALL);
    const search = searchIn(emitter);
    const page = await search.search(searchRequest.parse({ text: 'NEEDLE', from: time(-60), to: time(60) }));
    expect(page.entries.map(({ body }) => body)).toEqual(['a needle']);
    const [found] = page.entries;
    if (found === undefined) throw new Error('There is no record.');
    const { entries } = await search.context(
      contextRequest.parse({ stream: found.stream, position: found.position }),
    );
    expect(entries.map(({ body }) => body)).toEqual(['one', 'two', 'a needle', 'four']);
  });

  test('outside of the time of a search are not read', async () => {
    const { emitter, client } = await opened();
    await store(emitter, daysAgo([0, 10, 20, 30]));
    await client.query(COMPRESS_ALL);
    const { rows: chunks } = await client.query<{ name: string }>(
      'select chunk_name as name from timescaledb_information.chunks order by range_start',
    );
    const { rows } = await client.query<Record<string, string>>(
      `explain select body from mega_collector.log_records
       where time >= '2026-06-05T00:00:00Z'::timestamptz and time < '2026-06-06T00:00:00Z'::timestamptz`,
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(chunks.map(({ name }) => plan.includes(name))).toEqual([false, false, true, false]);
  });

  test('of many days are searched, aggregated, and dropped one by one', {
    timeout: 600_000,
  }, async () => {
    const { database, clock, emitter, client } = await opened();
    for (let from = 20; from < 20 + CHUNKS; from += 60)
      await client.query(
        `insert into mega_collector.log_records (time, observed_time, format, body, stream, position)
         select each, each, 'plain', 'a line', '00000000-0000-4000-8000-000000000000', extract(epoch from each)
         from generate_series($1::timestamptz - interval '59 days', $1, interval '1 day') as each`,
        [new Date(NOON - from * DAY_MS)],
      );
    await client.query(COMPRESS_ALL);
    expect(await chunksOf(client)).toBe(CHUNKS);
    const request = { from: new Date(0).toISOString(), to: new Date(NOON).toISOString() };
    const page = await searchIn(emitter).search(searchRequest.parse({ ...request, text: 'line' }));
    expect(page.entries.length).toBeGreaterThan(0);
    await client.query(
      `create materialized view days with (timescaledb.continuous) as
         select time_bucket(interval '1 day', time) as bucket, count(*) from mega_collector.log_records group by 1
         with no data`,
    );
    await client.query(`call refresh_continuous_aggregate('days', null, null)`);
    expect((await client.query('select sum(count)::int as n from days')).rows).toEqual([{ n: CHUNKS }]);
    expect(await store(emitter, daysAgo([100]))).toEqual({ kind: 'delivered' });
    const again = await stand.emitter({ database, retention_age: '240h' }, { clock });
    await expect.poll(() => chunksOf(client), { timeout: 300_000 }).toBe(1);
    expect(again.logs).not.toContainEqual(expect.objectContaining({ work: 'retention' }));
  });
});

describe.skipIf(!isInstalled)(`TimescaleDB that the server has not loaded${WHY}`, () => {
  const stand = PostgresStand.forSuite();

  test('is not used, and the log states what to do', async () => {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database });
    expect(await store(emitter, recordBatch(['one\n']))).toEqual({ kind: 'delivered' });
    expect(emitter.logs).toContainEqual(
      expect.objectContaining({
        layout: 'native',
        remedy: expect.stringContaining('shared_preload_libraries'),
      }),
    );
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
