import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { postgresJsonlog } from '../../src/formats/postgres-jsonlog.ts';

const RECORD =
  '{"timestamp":"2026-11-20 08:52:21.581 UTC","pid":9653,"line_num":5,"txid":0,"error_severity":"WARNING",' +
  '"state_code":"01000","message":"caf\u00e9 \\"q\\"\\nsecond","detail":"query_id\\":1234567890123456789}","query_id":1414022221250926749}\n';

describe('the format postgres-jsonlog', () => {
  it('keeps the keys as they are', () => {
    const { attributes, ...read } = postgresJsonlog.parse(Buffer.from(RECORD));
    expect(read).toEqual({
      body: 'café "q"\nsecond',
      severityNumber: 13,
      severityText: 'WARNING',
      timeUnixNano: 1_795_164_741_581_000_000n,
    });
    expect(Object.fromEntries(attributes)).toEqual({
      timestamp: '2026-11-20 08:52:21.581 UTC',
      pid: 9653,
      line_num: 5,
      txid: 0,
      error_severity: 'WARNING',
      state_code: '01000',
      message: 'café "q"\nsecond',
      detail: 'query_id":1234567890123456789}',
      query_id: '1414022221250926749',
    });
  });

  it('adds the SQLSTATE of success when PostgreSQL omits it', () => {
    const read = postgresJsonlog.parse(
      Buffer.from('{"timestamp":"t","error_severity":"LOG","message":"m","query_id":0}'),
    );
    expect(read.attributes.get('state_code')).toBe('00000');
    expect(read.attributes.get('query_id')).toBe('0');
    expect(read.severityNumber).toBe(9);
  });

  it('reads JSON with the bytes of another encoding', () => {
    const read = postgresJsonlog.parse(Buffer.from(RECORD, 'latin1'));
    expect(read.body).toBe('café "q"\nsecond');
    expect(read.attributes.get('megacollector.read_as_latin1')).toBe(true);
  });

  it.each(['', 'x', '1', 'null', '[]', '{}', '{"a":1}', '{"timestamp":{}}', RECORD.slice(0, 100)])(
    'reads %j as plain',
    (record) => {
      const read = postgresJsonlog.parse(Buffer.from(record));
      expect(read.body).toBe(record);
      expect(read.attributes.has('megacollector.parse_error')).toBe(true);
    },
  );

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(postgresJsonlog.parse(Buffer.from(text))).toHaveProperty('body');
      }),
    );
  });
});
