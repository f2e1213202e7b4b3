import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { csvlogCutter } from '../../../src/collector/cutting/csvlog-cutter.ts';
import type { Cutter } from '../../../src/collector/cutting/cutter.ts';
import { lineCutter } from '../../../src/collector/cutting/line-cutter.ts';
import type { Format } from '../../../src/formats/format.ts';
import { postgresCsvlog } from '../../../src/formats/postgres-csvlog.ts';
import { postgresJsonlog } from '../../../src/formats/postgres-jsonlog.ts';
import type { ParsedRecord } from '../../../src/records/log-record.ts';
import { POSTGRES_PROGRAMS, startPostgres } from '../../support/postgres-server.ts';

const name = 'the logs of a real PostgreSQL';
if (POSTGRES_PROGRAMS === undefined) console.warn(`SKIPPED: ${name}: PostgreSQL is not installed`);

function read(bytes: Buffer, cutter: Cutter, format: Format): ParsedRecord[] {
  const { sizes, marks, length } = cutter.cut(bytes, {
    last: true,
    maxRecordBytes: 1 << 20,
    maxRecords: 65_536,
  });
  expect(length).toBe(bytes.length);
  expect(marks).toEqual([]);
  let offset = 0;
  const records = Array.from(sizes, (size) => {
    offset += size;
    return format.parse(bytes.subarray(offset - size, offset));
  });
  return records.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** Two processes that log at once may come in another order in each file. */
function placeOf({ attributes }: ParsedRecord): string {
  const [session, line] = [attributes.get('session_id'), attributes.get('line_num')] as [string, number];
  return `${session} ${`${line}`.padStart(9, '0')}`;
}

/** The process that writes the logs ends after the server: its last record is in both of them. */
async function completeLog(directory: string, file: string): Promise<Buffer> {
  return vi.waitFor(
    async () => {
      const bytes = await readFile(join(directory, file));
      expect(bytes.includes('logger shutting down'), file).toBe(true);
      return bytes;
    },
    { timeout: 60_000, interval: 100 },
  );
}

describe.skipIf(POSTGRES_PROGRAMS === undefined)(name, () => {
  it('have the same content as csvlog and jsonlog', { timeout: 120_000 }, async () => {
    const server = await startPostgres({
      log_destination: 'csvlog,jsonlog',
      log_min_messages: 'debug1',
      log_error_verbosity: 'verbose',
      log_connections: 'on',
      log_disconnections: 'on',
      log_statement: 'all',
      compute_query_id: 'on',
      log_timezone: 'UTC',
    });
    await server.sql(`create database latin encoding latin1 template template0;
      create database raw encoding sql_ascii template template0;
      create function bad() returns int language plpgsql as 'begin execute ''select nope''; return 1; end';`);
    await server.sql(`select 1/0;
      select bad();
      do $$ begin raise warning E'été "q", 日本\n\tline 2\r\n' using detail = 'the "detail"', hint = ''; end $$;
      do $$ begin raise log ''; end $$;
      set application_name = ''; select nosuch from pg_class;`);
    await server.sql(`do $$ begin raise warning 'été'; end $$;`, { database: 'latin' });
    await server.sql(`do $$ begin raise warning E'\\xff "\\xfe"'; end $$;`, { database: 'raw' });
    await server.sql('select 1', { user: 'nobody-here' });
    await server.stop();

    const csv = read(await completeLog(server.logDirectory, 'pg.csv'), csvlogCutter, postgresCsvlog);
    const json = read(await completeLog(server.logDirectory, 'pg.json'), lineCutter, postgresJsonlog);
    expect(csv.length).toBeGreaterThan(30);
    expect(csv.map(plainObject)).toEqual(json.map(plainObject));
    for (const record of csv) expect(record.timeUnixNano).toBeDefined();

    const find = (body: string | RegExp) => {
      const found = csv.filter((record) =>
        typeof body === 'string' ? record.body === body : body.test(record.body),
      );
      expect(found, String(body)).toHaveLength(1);
      return plainObject(found[0] as ParsedRecord);
    };
    expect(find('division by zero')).toMatchObject({
      severityNumber: 17,
      severityText: 'ERROR',
      attributes: {
        user: 'postgres',
        dbname: 'postgres',
        remote_host: '[local]',
        state_code: '22012',
        statement: 'select 1/0;',
        func_name: 'int4div',
        file_name: 'int.c',
        application_name: 'psql',
        backend_type: 'client backend',
        query_id: expect.stringMatching(/^-?\d+$/) as string,
      },
    });
    expect(find('column "nope" does not exist').attributes).toMatchObject({
      internal_query: 'select nope',
      internal_position: 8,
      statement: 'select bad();',
    });
    expect(find('été "q", 日本\n\tline 2\r\n')).toMatchObject({
      severityText: 'WARNING',
      severityNumber: 13,
      attributes: { detail: 'the "detail"', hint: '', state_code: '01000' },
    });
    expect(find('').attributes).toMatchObject({ error_severity: 'LOG', state_code: '00000' });
    expect(find('column "nosuch" does not exist').attributes).not.toHaveProperty('application_name');
    expect(find('été').attributes).toMatchObject({ dbname: 'latin', 'megacollector.read_as_latin1': true });
    expect(find('ÿ "þ"').attributes).toMatchObject({ dbname: 'raw', 'megacollector.read_as_latin1': true });
    expect(find(/^role "nobody-here"/)).toMatchObject({ severityText: 'FATAL', severityNumber: 21 });
  });
});

function plainObject({ attributes, ...record }: ParsedRecord): object & { attributes: object } {
  return { ...record, attributes: Object.fromEntries(attributes) };
}
