import { describe, expect, test } from 'vitest';
import { batchOf } from '../../../src/records/batch.ts';
import { endOf, sliceRecords } from '../../../src/records/record-batch.ts';
import { mintStreamId } from '../../../src/records/stream-id.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { MISSING, never, PostgresStand, store } from './postgres-stand.ts';

const SCHEMA = 'mega_collector';

describe.skipIf(MISSING !== '')(`The PostgreSQL emitter${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  async function opened(settings: Readonly<Record<string, unknown>> = {}) {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database, ...settings });
    const client = await stand.client(database);
    await client.query(`set search_path = ${SCHEMA}`);
    await client.query(`set timezone = 'UTC'`);
    const bodies = async () => {
      const { rows } = await client.query<{ body: string }>(
        'select body from log_records order by stream, position',
      );
      return rows.map(({ body }) => body);
    };
    return { database, emitter, client, bodies };
  }

  describe('rows', () => {
    test('contain the fields of a record and its position', async () => {
      const { emitter, client } = await opened();
      const line =
        '203.0.113.9 - frank [10/Oct/2000:13:55:36 -0700] "GET /a/b?c=d HTTP/1.1" 200 2326 "-" "Mozilla/5.0"\n';
      const stream = mintStreamId();
      const resource = new Map([
        ['host.name', 'web-1'],
        ['service.name', 'shop'],
        ['log.file.path', '/var/log/access.log'],
        ['team', 'blue'],
      ]);
      const batch = recordBatch([line], { format: 'combined', stream, start: 700, resource });
      expect(await store(emitter, batch)).toEqual({ kind: 'delivered' });
      const { rows } = await client.query('select * from log_records');
      expect(rows).toEqual([
        {
          time: new Date('2000-10-10T20:55:36Z'),
          observed_time: new Date(1_700_000_000_000),
          severity_number: 9,
          severity_text: null,
          host: 'web-1',
          service: 'shop',
          source: '/var/log/access.log',
          format: 'combined',
          body: line.trimEnd(),
          attributes: expect.objectContaining({ team: 'blue', 'url.query': 'c=d' }),
          stream: stream.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
          position: '700',
          client_address: '203.0.113.9',
          user_name: 'frank',
          http_request_method: 'GET',
          url_path: '/a/b',
          network_protocol_version: '1.1',
          http_response_status_code: 200,
          http_response_body_size: '2326',
        },
      ]);
      const { rows: logs } = await client.query('select attributes from logs');
      expect(logs[0].attributes).toMatchObject({
        team: 'blue',
        'url.path': '/a/b',
        'http.response.status_code': 200,
      });
    });

    test('are stored once, however often they are emitted', async () => {
      const { emitter, bodies } = await opened();
      const batch = recordBatch(lines(10));
      await store(emitter, batch);
      await store(emitter, batch);
      await store(emitter, sliceRecords(batch, 3, 7), sliceRecords(batch, 0, 10), batch);
      expect(await bodies()).toEqual(lines(10).map((line) => line.trimEnd()));
    });

    test('of parts emitted in another order are all stored', async () => {
      const { emitter, client, bodies } = await opened();
      const batch = recordBatch(lines(10));
      await store(emitter, sliceRecords(batch, 6, 8));
      await store(emitter, sliceRecords(batch, 2, 3));
      expect(await ranges(client)).toEqual([
        [14, 21],
        [42, 56],
      ]);
      await store(emitter, batch);
      expect(await bodies()).toEqual(lines(10).map((line) => line.trimEnd()));
      expect(await ranges(client)).toEqual([[0, endOf(batch)]]);
    });
  });

  async function ranges(client: Awaited<ReturnType<typeof stand.client>>): Promise<unknown> {
    const { rows } = await client.query<{ ranges: string }>('select ranges from streams');
    expect(rows.length).toBe(1);
    return JSON.parse(rows[0]?.ranges ?? '');
  }

  describe('bookkeeping', () => {
    test('records the result of each flush', async () => {
      const { emitter, client } = await opened();
      const batch = recordBatch(lines(4));
      await store(emitter, sliceRecords(batch, 0, 2), sliceRecords(batch, 2, 3));
      await store(emitter, batch);
      const { rows: writers } = await client.query('select * from writers');
      expect(writers).toEqual([{ writer: expect.any(String), last_flush: '2', seen_at: expect.any(Date) }]);
      const at = new Date(1_700_000_000_000);
      const { rows: stored } = await client.query(
        'select flush, range_start, range_end, min_time, max_time from stored_ranges order by flush, range_start',
      );
      expect(stored).toEqual([
        { flush: '1', range_start: '0', range_end: '14', min_time: at, max_time: at },
        { flush: '1', range_start: '14', range_end: '21', min_time: at, max_time: at },
        { flush: '2', range_start: '21', range_end: '28', min_time: at, max_time: at },
      ]);
      const { rows: touched } = await client.query(
        'select flush, minute from touched_minutes order by flush',
      );
      const minute = new Date('2023-11-14T22:13:00Z');
      expect(touched).toEqual([
        { flush: '1', minute },
        { flush: '2', minute },
      ]);
    });

    test('is unchanged after a flush without new records', async () => {
      const { emitter, client } = await opened();
      const batch = recordBatch(lines(2));
      await store(emitter, batch);
      await store(emitter, batch);
      const { rows } = await client.query('select last_flush from writers');
      expect(rows).toEqual([{ last_flush: '1' }]);
    });
  });

  test('stores many records of many streams in one flush', async () => {
    const { emitter, client } = await opened();
    const batches = Array.from({ length: 50 }, () => recordBatch(lines(200)));
    await emitter.emit(batchOf(batches.slice(0, 20)));
    await emitter.emit(batchOf(batches.slice(20)));
    expect(await emitter.flush(never)).toEqual({ kind: 'delivered' });
    const { rows } = await client.query(
      'select count(*)::int as rows, count(distinct (stream, position))::int as places from log_records',
    );
    expect(rows).toEqual([{ rows: 10_000, places: 10_000 }]);
  });
});
