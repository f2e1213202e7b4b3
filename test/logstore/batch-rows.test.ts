import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { severityOfStatus } from '../../src/formats/combined.ts';
import { OBSERVED_TIME, TIME_SOURCE } from '../../src/formats/marker-attributes.ts';
import { forEachLogRecord } from '../../src/formats/record-view.ts';
import { BatchRows } from '../../src/logstore/batch-rows.ts';
import { LINE_ATTRIBUTES } from '../../src/logstore/line-attributes.ts';
import { type LogRow, logRow, rowOrigin } from '../../src/logstore/log-row.ts';
import { NOTED_KEYS } from '../../src/logstore/own-names.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';
import { mintStreamId } from '../../src/records/stream-id.ts';

const OBSERVED = 1_700_000_000_123_456_789n;

type Visited = 'line' | 'text' | 'row';

function batchOf(lines: readonly (string | Uint8Array)[], overrides: Partial<RecordBatch> = {}): RecordBatch {
  const records = lines.map((line) => (typeof line === 'string' ? Buffer.from(line) : line));
  return {
    stream: mintStreamId(),
    start: 1000,
    resource: new Map([
      ['host.name', 'web-1'],
      ['log.file.path', '/var/log/access.log'],
      ['deployment.environment.name', 'say "test"'],
    ]),
    format: 'combined',
    observedTimeUnixNano: OBSERVED,
    sizes: Uint32Array.from(records.map(({ length }) => length)),
    marks: [],
    data: Buffer.concat(records),
    ...overrides,
  };
}

/** The rows as every format reads them. */
function expectedRows(batch: RecordBatch): LogRow[] {
  const rows: LogRow[] = [];
  const origin = rowOrigin(batch.resource);
  forEachLogRecord(batch, (record) => rows.push(logRow(record, origin)));
  return rows;
}

/** The rows that a visitor creates from the places in the bytes. `records`: how many it visits at a time. */
function visitedRows(batch: RecordBatch, records?: number): { rows: LogRow[]; how: Visited[] } {
  const rows: LogRow[] = [];
  const how: Visited[] = [];
  const all = new BatchRows(batch);
  const { shared, lineAttributes } = all;
  const text = (start: number, end: number) => Buffer.from(batch.data.subarray(start, end)).toString();
  while (!all.isAtEnd) {
    all.visitNext(
      {
        line: (fields, start, position) => {
          how.push('line');
          const target = new Uint8Array(3 + lineAttributes.roomBytes(fields));
          const end = lineAttributes.write(target, 3, batch.data, fields);
          rows.push({
            ...shared,
            position,
            timeUnixMicro: fields.unixMicro,
            severityNumber: severityOfStatus(fields.status),
            body: text(start, fields.end),
            attributes: end === 3 ? null : Buffer.from(target.subarray(3, end)).toString(),
            columns: [
              text(fields.clientStart, fields.clientEnd),
              fields.userEnd === fields.userStart ? null : text(fields.userStart, fields.userEnd),
              text(fields.methodStart, fields.methodEnd),
              text(fields.pathStart, fields.pathEnd),
              text(fields.versionStart, fields.versionEnd),
              fields.status,
              fields.size < 0 ? null : fields.size,
            ],
          });
        },
        text: (start, end, position) => {
          how.push('text');
          rows.push({ ...shared, position, body: text(start, end) });
        },
        row: (row) => {
          how.push('row');
          rows.push(row);
        },
      },
      records,
    );
  }
  return { rows, how };
}

const SIMPLE =
  '192.0.2.7 - - [15/Jan/2026:06:00:00 +0000] "GET /a/b?x=1&y=2 HTTP/1.1" 200 34142 "https://a.example/" "curl/8.5.0"\n';

const words = (...texts: string[]) => fc.constantFrom(...texts);
const client = words(
  '192.0.2.7',
  'a.example',
  '-',
  'unknown',
  '::1',
  '192.0.2.7:80',
  'a, b',
  'é',
  '[::1]',
  '',
);
const ident = words('-', '-', '-', 'ident', '');
const user = words('-', 'frank', 'a b', '""', 'x[1]', 'a"b', '');
const time = words(
  ...['15/Jan/2026:06:00:00 +0000', '15/Jan/2026:06:00:01 +0000', '01/Jan/1960:00:00:00 +0000'],
  ...[
    '31/Feb/2026:06:00:00 +0000',
    '01/Jan/2250:00:00:00 +0000',
    '2026-01-15T06:00:00+00:00',
    '1772704800.123',
    'x',
  ],
);
const request = words(
  ...[
    'GET / HTTP/1.1',
    'POST /a?b HTTP/2',
    'GET /a? HTTP/1.0',
    'GET /a b?c d HTTP/1.1',
    'GET HTTP/1.1',
    '-',
    '',
  ],
  ...[
    'GET /a HTTP/1.10',
    'GET /a HTTP/11',
    'GET /a',
    'get /a HTTP/1.1',
    'GET http://x/a HTTP/1.1',
    'GET * HTTP/1.1',
  ],
  ...[
    'GET /\\"a HTTP/1.1',
    'GET /a"b HTTP/1.1',
    '\\x16\\x03',
    'GET /é HTTP/1.1',
    'GET /\u007f HTTP/1.1',
    `${'G'.repeat(64)} / HTTP/1.1`,
    `${'G'.repeat(65)} / HTTP/1.1`,
  ],
);
const status = words('200', '404', '503', '-', '20', '2000', 'abc', '000');
const size = words(
  '1',
  '0',
  '-',
  '-1',
  '123456789012345',
  '1234567890123456',
  '12345678901234567890',
  '',
  'x',
);
const quoted = words('"-"', '""', '"a b"', '"a\\"b"', '"a"b"', '"é"', '"a\tb"', 'a', '');
const tail = fc.oneof(
  fc.constant(''),
  fc.tuple(quoted, quoted).map(([referer, agent]) => ` ${referer} ${agent}`),
  fc.tuple(quoted, quoted, words('', 'rest', '"x"')).map((parts) => ` ${parts.join(' ')}`),
);
const ending = words('\n', '\n', '\r\n', '', '\r');
const line = fc
  .tuple(client, ident, user, time, request, status, size, tail, ending)
  .map(([a, b, c, d, e, f, g, h, i]) => `${a} ${b} ${c} [${d}] "${e}" ${f} ${g}${h}${i}`)
  .filter((text) => text.length > 0);
/** A simple line with one change at any place. */
const almostSimple = fc
  .tuple(fc.nat(SIMPLE.length - 1), fc.nat(2), fc.string({ unit: 'binary', maxLength: 2 }))
  .map(([at, removed, added]) => SIMPLE.slice(0, at) + added + SIMPLE.slice(at + removed))
  .filter((text) => text.length > 0);

describe('the rows of a batch', () => {
  test('are those of the format for any access log', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(line, almostSimple, fc.constant(SIMPLE)), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 12 }),
        (lines, records) => {
          const batch = batchOf(lines);
          expect(visitedRows(batch, records).rows).toEqual(expectedRows(batch));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('are those of the format for any plain texts', () => {
    const bytes = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ minLength: 1, maxLength: 8 }).map((each) => Buffer.from(each)),
      words('a\n', 'b\r\n', '\n', '\ufeffc\n', 'd\0\n', 'é').map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(bytes, { minLength: 1, maxLength: 6 }), (lines) => {
        const batch = batchOf(lines, { format: 'plain' });
        expect(visitedRows(batch).rows).toEqual(expectedRows(batch));
      }),
      { numRuns: 2000 },
    );
  });

  test('are places in the bytes for simple lines, before and after other lines', () => {
    const { how } = visitedRows(batchOf([SIMPLE, 'hello\n', 'again\n', SIMPLE]), 3);
    expect(how).toEqual(['line', 'row', 'row', 'line']);
  });

  test('are places in the bytes for simple lines without referer, user agent, query or user', () => {
    const lines = [
      'a.example - frank [15/Jan/2026:06:00:00 +0000] "GET / HTTP/2" 304 -\r\n',
      'a.example - - [15/Jan/2026:06:00:00 +0000] "POST /a? HTTP/1.0" 500 12 "-" "-"\n',
    ];
    const batch = batchOf(lines, { resource: new Map() });
    expect(visitedRows(batch)).toEqual({ rows: expectedRows(batch), how: ['line', 'line'] });
  });

  test('are places in the bytes for plain texts', () => {
    expect(visitedRows(batchOf(['a\n', 'é\r\n'], { format: 'plain' })).how).toEqual(['text', 'text']);
  });

  test('are read by the format for plain records that end within a character', () => {
    const batch = batchOf([Buffer.of(0xc3), Buffer.of(0xa9), 'a\n'], { format: 'plain' });
    expect(visitedRows(batch)).toEqual({ rows: expectedRows(batch), how: ['row', 'row', 'text'] });
  });

  test.each<[string, Partial<RecordBatch>]>([
    ['an incomplete record', { marks: [{ index: 0, mark: 'unterminated' }] }],
    ['the observed time as the time', { resource: new Map([[TIME_SOURCE, OBSERVED_TIME]]) }],
    ['a resource with an attribute of lines', { resource: new Map([['url.query', 'q']]) }],
    ['a resource with a column of lines', { resource: new Map([['user.name', 'u']]) }],
    ['a resource with U+0000', { resource: new Map([['x', '\0']]) }],
    ['another format', { format: 'json' }],
  ])('are read by the format for %s', (_name, overrides) => {
    const batch = batchOf([SIMPLE], overrides);
    expect(visitedRows(batch)).toEqual({ rows: expectedRows(batch), how: ['row'] });
  });

  test('need no note of the attributes of lines', () => {
    expect(LINE_ATTRIBUTES.filter((name) => NOTED_KEYS.has(name))).toEqual([]);
  });
});
