import type { Client } from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { recordBatch } from '../../support/record-batches.ts';
import { MISSING, PostgresStand, store } from './postgres-stand.ts';
import { TICK_MS, TickingClock } from './ticking-clock.ts';

const DAY_MS = 86_400_000;
const NOON = Date.UTC(2026, 5, 15, 12);
const YESTERDAY = 'log_records_20260614';
const TODAY = 'log_records_20260615';
const INDEX = `${YESTERDAY}_text`;

describe.skipIf(MISSING !== '')(`Indexes of days in PostgreSQL${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  async function opened(settings: Readonly<Record<string, unknown>> = {}, grants = true) {
    const database = await stand.createDatabase();
    const client = await stand.client(database);
    if (!grants) await client.query('create schema mega_collector authorization collector');
    if (!grants) await client.query(`revoke create on database ${database} from collector, public`);
    const clock = new TickingClock(NOON);
    const emitter = await stand.emitter({ database, ...settings }, { clock });
    await client.query(`set search_path = mega_collector; set timezone = 'UTC'`);
    await clock.turnEnded(1);
    const turn = async () => {
      const { ticks } = clock;
      await clock.advance(TICK_MS);
      await clock.turnEnded(ticks + 1);
    };
    return { client, emitter, turn };
  }

  /** More than 16 MiB of rows of this day, as another session writes them. */
  async function fill(client: Client, unixMs: number): Promise<void> {
    await client.query(
      `insert into log_records (time, observed_time, format, body, stream, position)
       select to_timestamp($1::float8), now(), 'plain', 'row ' || n || repeat(' text', 250), gen_random_uuid(), n
       from generate_series(1, 16000) n`,
      [unixMs / 1000],
    );
  }

  async function indexes(client: Client, kind = 'text'): Promise<Record<string, boolean>> {
    const { rows } = await client.query<{ name: string; valid: boolean }>(
      `select relname as name, indisvalid as valid from pg_index join pg_class on pg_class.oid = indexrelid
       where relname like '%\\_${kind}'`,
    );
    return Object.fromEntries(rows.map(({ name, valid }) => [name, valid]));
  }

  test('are built for days that are over, and used by a text search', async () => {
    const { client, turn } = await opened();
    await fill(client, NOON - DAY_MS);
    await fill(client, NOON);
    await turn();
    await vi.waitFor(async () => expect(await indexes(client)).toEqual({ [INDEX]: true }), 20_000);
    await client.query('analyze log_records');
    const { rows } = await client.query<Record<string, string>>(
      `explain select * from log_records where time < '2026-06-15' and body ilike '%row 12345 %'`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain(INDEX);
    await turn();
    expect(Object.keys(await indexes(client))).not.toContain(`${TODAY}_text`);
  });

  test('are not built while rows of the day arrive', async () => {
    const { client, emitter, turn } = await opened();
    const record = `${JSON.stringify({ time: new Date(NOON - DAY_MS).toISOString() })}\n`;
    await store(emitter, recordBatch([record], { format: 'json' }));
    await fill(client, NOON - DAY_MS);
    await turn();
    await turn();
    expect(await indexes(client)).toEqual({});
    await client.query(`update touched_minutes set stored_at = stored_at - interval '11 minutes'`);
    await turn();
    await vi.waitFor(async () => expect(await indexes(client)).toEqual({ [INDEX]: true }), 20_000);
  });

  test('are not built for small days, and not beside an index of the operator', async () => {
    const { client, turn } = await opened();
    await client.query(`insert into log_records (time, observed_time, format, body, stream, position)
      values ('2026-06-14 12:00Z', now(), 'plain', 'small', gen_random_uuid(), 1)`);
    await turn();
    await turn();
    await fill(client, NOON - DAY_MS);
    await client.query('create index mine on log_records using gin (body public.gin_trgm_ops)');
    await turn();
    await turn();
    expect(await indexes(client)).toEqual({});
  });

  test('that were not completed are dropped and built again', async () => {
    const { client, turn } = await opened();
    await fill(client, NOON - DAY_MS);
    await client.query(`create index ${INDEX} on ${YESTERDAY} using gin (body public.gin_trgm_ops)`);
    await client.query(`update pg_index set indisvalid = false where indexrelid = '${INDEX}'::regclass`);
    await client.query(`alter index ${INDEX} owner to collector`).catch(() => undefined);
    await turn();
    await vi.waitFor(async () => expect(await indexes(client)).toEqual({}), 20_000);
    await vi.waitFor(async () => {
      await turn();
      expect(await indexes(client)).toEqual({ [INDEX]: true });
    }, 20_000);
  });

  test('are off by configuration', async () => {
    const { client, turn } = await opened({ text_index: 'off' });
    await fill(client, NOON - DAY_MS);
    await turn();
    await turn();
    expect(await indexes(client)).toEqual({});
    const { rowCount } = await client.query(`select from pg_extension where extname = 'pg_trgm'`);
    expect(rowCount).toBe(0);
  });

  test('of streams find the neighbours of a record', async () => {
    const { client, turn } = await opened({ text_index: 'off' });
    await fill(client, NOON - DAY_MS);
    await turn();
    const index = `${YESTERDAY}_stream`;
    await vi.waitFor(async () => expect(await indexes(client, 'stream')).toEqual({ [index]: true }), 20_000);
    await client.query('analyze log_records');
    const { rows } = await client.query<Record<string, string>>(
      `explain select * from log_records where stream = '01900000-0000-7000-8000-000000000000' and position > 5
       order by position limit 10`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain(index);
    await turn();
    expect(await indexes(client, 'text')).toEqual({});
  });

  test('of streams are off by configuration', async () => {
    const { client, turn } = await opened({ stream_index: 'off' });
    await fill(client, NOON - DAY_MS);
    await turn();
    await vi.waitFor(async () => expect(await indexes(client)).toEqual({ [INDEX]: true }), 20_000);
    await turn();
    await turn();
    expect(await indexes(client, 'stream')).toEqual({});
  });

  test('are missing for a role that cannot create the extension, and rows are stored', async () => {
    const { client, emitter, turn } = await opened({}, false);
    await store(emitter, recordBatch(['stored\n']));
    await turn();
    const { rows } = await client.query('select body from log_records');
    expect(rows).toEqual([{ body: 'stored' }]);
    const { rowCount } = await client.query(`select from pg_extension where extname = 'pg_trgm'`);
    expect(rowCount).toBe(0);
  });
});
