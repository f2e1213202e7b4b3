import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { postgresCsvlog } from '../../src/formats/postgres-csvlog.ts';

const NEW =
  '2026-11-20 08:52:21.582 UTC,"postgres","l1",9653,"127.0.0.1:5000",6b000a45.25b5,8,"SELECT",2026-11-20 08:52:21 UTC,3/11,0,' +
  'ERROR,22012,"division ""by""\nzero",,,,,,"select 1/0;",8,"int4div, int.c:869","","client backend",,-8441324848661855122\n';
const columns = NEW.trimEnd().split(',');

describe('the format postgres-csvlog', () => {
  it('reads a record of many lines', () => {
    const { attributes, ...read } = postgresCsvlog.parse(Buffer.from(NEW));
    expect(read).toEqual({
      body: 'division "by"\nzero',
      severityNumber: 17,
      severityText: 'ERROR',
      timeUnixNano: 1_795_164_741_582_000_000n,
    });
    expect(Object.fromEntries(attributes)).toEqual({
      timestamp: '2026-11-20 08:52:21.582 UTC',
      user: 'postgres',
      dbname: 'l1',
      pid: 9653,
      remote_host: '127.0.0.1',
      remote_port: 5000,
      session_id: '6b000a45.25b5',
      line_num: 8,
      ps: 'SELECT',
      session_start: '2026-11-20 08:52:21 UTC',
      vxid: '3/11',
      txid: 0,
      error_severity: 'ERROR',
      state_code: '22012',
      message: 'division "by"\nzero',
      statement: 'select 1/0;',
      cursor_position: 8,
      func_name: 'int4div',
      file_name: 'int.c',
      file_line_num: 869,
      backend_type: 'client backend',
      query_id: '-8441324848661855122',
    });
  });

  it('reads the 23 columns of PostgreSQL 12 and the 24 of 13', () => {
    const old = `${columns.slice(0, -3).join(',')}\r\n`;
    expect(postgresCsvlog.parse(Buffer.from(old)).attributes.has('backend_type')).toBe(false);
    const thirteen = columns.slice(0, -2).join(',');
    expect(postgresCsvlog.parse(Buffer.from(thirteen)).attributes.get('backend_type')).toBe('client backend');
  });

  it.each([
    ['FEHLER', '42601', 17],
    ['HINWEIS', '00000', 9],
    ['ATTENTION', '01000', 13],
    ['PANIC', '42601', 24],
  ])('maps the severity of %s with SQLSTATE %s', (label, state, number) => {
    const record = NEW.replace('ERROR,22012', `${label},${state}`);
    expect(postgresCsvlog.parse(Buffer.from(record))).toMatchObject({
      severityText: label,
      severityNumber: number,
    });
  });

  it.each([
    ['2026-11-20 10:52:21.582 +02', 1_795_164_741_582_000_000n],
    ['2026-11-20 05:22:21.582 -0330', 1_795_164_741_582_000_000n],
    ['2026-11-20 08:52:21 GMT', 1_795_164_741_000_000_000n],
    ['2026-11-20 08:52:21.582 IST', undefined],
    ['2026-02-30 08:52:21.582 UTC', undefined],
    ['2026-11-20 08:52:21.582', undefined],
  ])('reads the time %s', (time, expected) => {
    const record = NEW.replace('2026-11-20 08:52:21.582 UTC', time);
    const read = postgresCsvlog.parse(Buffer.from(record));
    expect(read.timeUnixNano).toBe(expected);
    expect(read.attributes.get('timestamp')).toBe(time);
  });

  it('marks only text that is not UTF-8', () => {
    const latin1 = postgresCsvlog.parse(Buffer.from(NEW.replace('division', 'é'), 'latin1'));
    expect(latin1.body).toBe('é "by"\nzero');
    expect(latin1.attributes.get('megacollector.read_as_latin1')).toBe(true);
    expect(postgresCsvlog.parse(Buffer.from(NEW)).attributes.has('megacollector.read_as_latin1')).toBe(false);
  });

  it.each([
    ['', 'nothing'],
    ['hello\n', 'text'],
    [NEW.slice(0, NEW.indexOf('zero')), 'a record cut within quotes'],
    [NEW.replace('"postgres"', '"post"gres"'), 'a quote that is not doubled'],
    [columns.slice(0, 22).join(','), '22 columns'],
  ])('reads %j as plain (%s)', (record) => {
    const read = postgresCsvlog.parse(Buffer.from(record));
    expect(read.body).toBe(record.replace(/\n$/, ''));
    expect(read.attributes.has('megacollector.parse_error')).toBe(true);
  });

  it('reads any text that PostgreSQL can quote', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const quoted = text.replaceAll('"', '""');
        const record = NEW.replace('"division ""by""\nzero"', () => `"${quoted}"`);
        expect(postgresCsvlog.parse(Buffer.from(record)).body).toBe(text);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(postgresCsvlog.parse(bytes)).toHaveProperty('body');
      }),
    );
  });
});
