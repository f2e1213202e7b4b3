import { expect, test } from 'vitest';
import { EXPORT_FORMATS } from '../../../src/aggregator/api/export-format.ts';
import { ENTRY } from './fake-store.ts';

test('a row of CSV has quotes by RFC 4180', () => {
  const format = EXPORT_FORMATS.csv;
  expect(format.head).toBe('time,severity,host,service,source,format,body,attributes,stream,position\r\n');
  expect(format.entry({ ...ENTRY, body: 'a, "b"\nc', attributes: { x: 'y' } })).toBe(
    `${ENTRY.time},error,web-1,,/var/log/app.log,json,"a, ""b""\nc","{""x"":""y""}",${ENTRY.stream},4096\r\n`,
  );
});

test.each(['=1+1', '+1', '-1', '@sum', '\tx', '\rx'])(
  'the cell %j is no formula in a spreadsheet',
  (body) => {
    const row = EXPORT_FORMATS.csv.entry({ ...ENTRY, body });
    const cell = /,json,(?:"((?:[^"]|"")*)"|([^,]*)),/.exec(row);
    expect(cell?.[1] ?? cell?.[2]).toBe(`'${body}`);
  },
);

test('a line of text has no control characters of the record', () => {
  const line = EXPORT_FORMATS.text.entry({ ...ENTRY, body: 'a\n\u001b[31mred\u202e' });
  expect(line).toBe(`${ENTRY.time} error web-1 - a\\n\\x1b[31mred\\u202e\n`);
});
