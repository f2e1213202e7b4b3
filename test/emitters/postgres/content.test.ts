import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { PostgresEmitter } from '../../../src/emitters/postgres/postgres-emitter.ts';
import { forEachLogRecord } from '../../../src/formats/record-view.ts';
import { formats } from '../../../src/formats/registry.ts';
import { ATTRIBUTE_COLUMNS } from '../../../src/logstore/log-columns.ts';
import { logRow, rowOrigin } from '../../../src/logstore/log-row.ts';
import { LIMITS } from '../../../src/records/limits.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { arbitraryBatch } from '../../support/arbitrary-batches.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { MISSING, PostgresStand, store } from './postgres-stand.ts';

const json = (...values: readonly unknown[]): RecordBatch =>
  recordBatch(
    values.map((value) => `${typeof value === 'string' ? value : JSON.stringify(value)}\n`),
    { format: 'json' },
  );

describe.skipIf(MISSING !== '')(`Whatever a record holds, PostgreSQL takes it${MISSING}`, () => {
  const stand = PostgresStand.forSuite();
  let database: string;
  beforeAll(async () => {
    database = await stand.createDatabase();
  });

  /** Stores them, and answers with their rows. */
  async function rowsOf(emitter: PostgresEmitter, batch: RecordBatch): Promise<Record<string, unknown>[]> {
    expect(await store(emitter, batch)).toEqual({ kind: 'delivered' });
    const client = await stand.client(database);
    const { rows } = await client.query(
      `select *, to_char(time at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as time_text,
         (extract(epoch from time) * 1000000)::bigint as time_micro,
         (extract(epoch from observed_time) * 1000000)::bigint as observed_micro
       from mega_collector.log_records
       where stream = $1 order by position`,
      [batch.stream],
    );
    await client.end();
    expect(rows.length).toBe(batch.sizes.length);
    return rows;
  }

  const opened = () => stand.emitter({ database });

  test('NUL, half characters and bytes that are not UTF-8', async () => {
    const rows = await rowsOf(
      await opened(),
      recordBatch([
        Buffer.from('a\0b\n'),
        Buffer.of(0x61, 0xff, 0xc3, 0x0a),
        Buffer.of(0xed, 0xa0, 0x80, 0x0a),
      ]),
    );
    expect(rows.map(({ body }) => body)).toEqual(['a\ufffdb', 'a\ufffd\ufffd', '\ufffd\ufffd\ufffd']);
    expect(rows[0]?.attributes).toMatchObject({ 'megacollector.nul_replaced': true });
    expect(rows[1]?.attributes).toMatchObject({ 'megacollector.invalid_utf8': true });
  });

  test('NUL and half characters in keys and values of JSON', async () => {
    const [row] = await rowsOf(
      await opened(),
      json('{"a\\u0000b":"c\\u0000","d\\ud800":["\\udc00",{"\\u0000":1}]}'),
    );
    expect(row?.attributes).toMatchObject({
      'a\ufffdb': 'c\ufffd',
      'd\ufffd': ['\ufffd', { '\ufffd': 1 }],
      'megacollector.nul_replaced': true,
    });
  });

  test.each(['1e400', '-1e400', '1e-400', '123456789012345678901234567890', '1e308', '0.1e-300', '-0'])(
    'the number %s',
    async (number) => {
      await rowsOf(await opened(), json(`{"n":${number},"list":[${number}],"o":{"p":${number}}}`));
    },
  );

  test('JSON that is deep', async () => {
    for (const depth of [100, 1000, 10_000, 100_000]) {
      await rowsOf(await opened(), json(`{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`));
      await rowsOf(await opened(), json(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`));
    }
  });

  test('JSON that is broad, or long', async () => {
    const many = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`key ${index}`, index]));
    const [row] = await rowsOf(await opened(), json(many, { ['k'.repeat(200_000)]: 'v'.repeat(300_000) }));
    expect(Object.keys(row?.attributes as object).length).toBe(900);
  });

  test('keys that mean something to the language', async () => {
    const [row] = await rowsOf(await opened(), json('{"__proto__":1,"constructor":2,"toString":3,"":4}'));
    expect(Object.entries(row?.attributes as object)).toEqual(
      expect.arrayContaining([
        ['__proto__', 1],
        ['constructor', 2],
        ['', 4],
      ]),
    );
  });

  test('records as long as they may be, of the characters that take most room', async () => {
    const record = Buffer.alloc(LIMITS.recordBytes - 1, 0xff);
    const rows = await rowsOf(
      await opened(),
      recordBatch([record, Buffer.from(`${'\u20ac'.repeat(340_000)}\n`)]),
    );
    expect(rows.map(({ body }) => String(body).length)).toEqual([LIMITS.recordBytes - 1, 340_000]);
  });

  test('hundreds of attributes', async () => {
    const fields = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`field.${index}`, 'x'.repeat(40)]),
    );
    const [row] = await rowsOf(await opened(), json(fields));
    expect(row?.attributes).toEqual(fields);
  });

  test('times of long ago and far ahead', async () => {
    const times = [
      '1970-01-01T00:00:00Z',
      '2199-12-31T23:59:59.999999Z',
      '1969-12-31T23:59:59Z',
      '9999-12-31T00:00:00Z',
    ];
    const rows = await rowsOf(await opened(), json(...times.map((time) => ({ time, message: 'm' }))));
    expect(rows.map(({ time_text }) => time_text)).toEqual([
      '1970-01-01 00:00:00.000000',
      '2199-12-31 23:59:59.999999',
      // These say when they were read.
      '2023-11-14 22:13:20.000000',
      '2023-11-14 22:13:20.000000',
    ]);
  });

  test('positions as far as numbers are exact', async () => {
    const batch = recordBatch(['far\n'], { start: 2 ** 53 - 10 });
    const [row] = await rowsOf(await opened(), batch);
    expect(row?.position).toBe(String(2 ** 53 - 10));
  });

  test('numbers that do not fit their column', async () => {
    const [row] = await rowsOf(
      await opened(),
      json({ 'http.response.status_code': 70_000, 'http.response.body.size': 1.5, 'user.name': 7 }),
    );
    expect(row).toMatchObject({
      http_response_status_code: null,
      attributes: { 'http.response.status_code': 70_000, 'http.response.body.size': 1.5, 'user.name': 7 },
    });
  });

  test('a resource of any text', async () => {
    const resource = new Map([
      ['host.name', 'h\0'],
      ['log.file.path', '/var/\ud800'],
      ['__proto__', 'p'],
      ['a\0', 'b\0'],
    ]);
    const [row] = await rowsOf(await opened(), recordBatch(['x\n'], { resource, format: 'from\0afar' }));
    expect(row).toMatchObject({ host: 'h\ufffd', source: '/var/\ufffd', format: 'from\ufffdafar' });
  });

  /** What the rows should be, by the words of the schema. */
  function expectedRows(batch: RecordBatch): Record<string, unknown>[] {
    const origin = rowOrigin(batch.resource);
    const rows: Record<string, unknown>[] = [];
    forEachLogRecord(batch, (record) => {
      const row = logRow(record, origin);
      rows.push({
        time_micro: String(row.timeUnixMicro),
        observed_micro: String(row.observedTimeUnixMicro),
        severity_number: row.severityNumber,
        severity_text: row.severityText,
        host: row.host,
        service: row.service,
        source: row.source,
        format: row.format,
        body: row.body,
        attributes: row.attributes === null ? null : JSON.parse(row.attributes),
        position: String(row.position),
        ...Object.fromEntries(
          ATTRIBUTE_COLUMNS.map(({ column, type }, index) => {
            const value = row.columns[index] ?? null;
            return [column, type === 'bigint' && value !== null ? String(value) : value];
          }),
        ),
      });
    });
    return rows;
  }

  test('any bytes, in any format, without changing a value', async () => {
    const emitter = await opened();
    const format = fc.constantFrom(...formats.map(({ name }) => name), 'unknown');
    await fc.assert(
      fc.asyncProperty(arbitraryBatch, format, async (batch, name) => {
        const records = { ...batch, format: name };
        const rows = await rowsOf(emitter, records);
        expect(rows).toEqual(expectedRows(records).map((row) => expect.objectContaining(row)));
      }),
      { numRuns: 150 },
    );
  });

  test('any JSON', async () => {
    const emitter = await opened();
    const field = fc.oneof(
      fc.json({ depthSize: 'large', stringUnit: 'binary' }),
      fc.double().map(String),
      fc.stringMatching(/^-?[1-9][0-9]{0,60}([.][0-9]{1,40})?([eE][+-]?[0-9]{1,5})?$/),
      fc.stringMatching(/^"(\\u[0-9a-f]{4}|[a-z]){0,12}"$/),
    );
    const record = fc
      .array(
        fc.tuple(
          fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('time', 'level', 'message', 'status')),
          field,
        ),
        {
          maxLength: 8,
        },
      )
      .map((fields) => `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`);
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 20 }), async (records) => {
        await rowsOf(emitter, json(...records));
      }),
      { numRuns: 100 },
    );
  });
});
