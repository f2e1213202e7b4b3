import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { sliceBytes } from '../../../src/emitters/slice-bytes.ts';
import { printedSlice } from '../../../src/emitters/text/printed-slice.ts';
import { inUtf8 } from '../../../src/formats/encodings/batch-encoding.ts';
import { lineEndBytes } from '../../../src/formats/encodings/line-end-bytes.ts';
import { ENCODING, INVALID_UTF8 } from '../../../src/formats/marker-attributes.ts';
import { forEachLogRecord, recordView } from '../../../src/formats/record-view.ts';
import { BatchRows } from '../../../src/logstore/batch-rows.ts';
import type { LogRecord } from '../../../src/records/log-record.ts';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { mintStreamId } from '../../../src/records/stream-id.ts';

interface Written {
  readonly encoding?: string;
  readonly format?: string;
  readonly start?: number;
}

function batchOf(
  records: readonly Buffer[],
  { encoding, format = 'plain', start = 0 }: Written,
): RecordBatch {
  return {
    stream: mintStreamId(),
    start,
    resource: new Map(encoding === undefined ? [] : [[ENCODING, encoding]]),
    format,
    observedTimeUnixNano: 0n,
    sizes: Uint32Array.from(records, ({ length }) => length),
    marks: [],
    data: Buffer.concat(records),
  };
}

function recordsOf(batch: RecordBatch): LogRecord[] {
  const records: LogRecord[] = [];
  forEachLogRecord(batch, (record) => records.push(record));
  expect(records.map((_, index) => recordView(batch, index))).toEqual(records);
  return records;
}

function texts(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString();
}

describe('a record in another encoding', () => {
  it.each([
    ['shift_jis', 'エラー: 表示できません ソ十'],
    ['euc-jp', 'エラー: 表示できません'],
    ['gb18030', '错误：磁盘已满 €'],
    ['big5', '錯誤：磁碟已滿 功'],
    ['euc-kr', '오류: 디스크'],
    ['windows-1252', 'Größe 5 €'],
    ['iso-8859-15', 'Größe 5 €'],
    ['koi8-r', 'Ошибка диска'],
    ['cp850', 'Größe'],
    ['utf-16le', '\ufeffGröße \u{1f600}'],
    ['utf-16be', '\ufeffGröße \u{1f600}'],
    ['utf-32le', '\ufeffGröße \u{1f600}'],
  ])('is read as text (%s)', (encoding, text) => {
    const batch = batchOf([iconv.encode(`${text}\r\n`, encoding)], { encoding });
    const [record] = recordsOf(batch);
    expect(record?.body).toBe(text.replace('\ufeff', ''));
    expect([...(record?.attributes ?? []), ...(record?.resource ?? [])]).toEqual([]);
  });

  it('is parsed by its format', () => {
    const line = '{"time":"2026-11-28T10:00:00Z","level":"error","message":"表","user":"ソ"}\n';
    for (const encoding of ['shift_jis', 'utf-16be']) {
      const [record] = recordsOf(batchOf([iconv.encode(line, encoding)], { encoding, format: 'json' }));
      expect(record).toMatchObject({ body: '表', severityText: 'error' });
      expect(record?.attributes).toEqual(new Map([['user', 'ソ']]));
    }
  });

  it('has U+FFFD and a mark for bytes that are not valid', () => {
    const cases: [string, Buffer][] = [
      ['shift_jis', Buffer.from([0x61, 0x81, 0x0a])],
      ['utf-16le', Buffer.from([0x61, 0, 0x00, 0xd8, 0x0a, 0])],
      ['utf-16le', Buffer.from([0x61, 0, 0x62])],
      ['us-ascii', Buffer.from([0x61, 0xe9, 0x0a])],
    ];
    for (const [encoding, bytes] of cases) {
      const [record] = recordsOf(batchOf([bytes], { encoding }));
      expect(record?.body).toMatch(/^a\ufffd/);
      expect(record?.attributes).toEqual(new Map([[INVALID_UTF8, true]]));
    }
  });

  it('is aligned to its position in the file', () => {
    const half = Buffer.from([0x62]);
    const line = iconv.encode('xyz\n', 'utf-16le');
    const batch = batchOf([half, Buffer.concat([Buffer.from([0]), line])], { encoding: 'utf-16le' });
    expect(recordsOf(batch).map(({ body }) => body)).toEqual(['\ufffd', '\ufffdxyz']);
  });

  it('is a row with its text in a store', () => {
    const batch = batchOf([Buffer.from('é\n', 'latin1'), Buffer.from('plain\n')], { encoding: 'latin1' });
    const bodies: string[] = [];
    const unexpected = () => expect.unreachable('the bytes are not the text');
    new BatchRows(batch).visitNext({
      line: unexpected,
      text: unexpected,
      row: ({ body }) => bodies.push(body),
    });
    expect(bodies).toEqual(['é', 'plain']);
  });

  it('is read as UTF-8 when its encoding is not known', () => {
    const [record] = recordsOf(batchOf([Buffer.from('é\n')], { encoding: 'of-a-newer-version' }));
    expect(record?.body).toBe('é');
  });
});

describe('outputs of text', () => {
  const batch = batchOf(
    ['\ufeffGröße\r\n', 'zwei\n', 'drei'].map((line) => iconv.encode(line, 'utf-16le')),
    { encoding: 'utf-16le' },
  );

  it('write records in UTF-8', () => {
    expect(texts(sliceBytes(batch, 'body'))).toBe('Größe\r\nzwei\ndrei\n');
    expect(texts([printedSlice(batch, 'body', false)])).toBe('Größe\nzwei\ndrei\n');
    expect(texts([printedSlice(batch, 'body', true)])).toBe('Größe\nzwei\ndrei\n');
    expect(texts(sliceBytes(batch, 'json'))).toContain('"Größe"');
  });

  it('get the batch itself when no encoding is set', () => {
    const plain = batchOf([Buffer.from('one\n')], {});
    expect(inUtf8(plain)).toBe(plain);
  });
});

it.each(['utf-8', 'latin1', 'utf-16le', 'utf-16be', 'utf-32be'])(
  'finds the size of a line ending in %s',
  (name) => {
    const encoding = name === 'utf-8' ? undefined : name;
    const size = (text: string) => lineEndBytes(iconv.encode(text, name), encoding);
    const unit = iconv.encode('\n', name).length;
    expect([size('a\n'), size('a\r\n'), size('\n'), size('\r\n'), size('a'), size('a\r'), size('')]).toEqual([
      ...[unit, 2 * unit, unit, 2 * unit],
      ...[0, 0, 0],
    ]);
  },
);

it('returns any text in any encoding that has all its characters', () => {
  const names = ['utf-16le', 'utf-16be', 'utf-32le', 'utf-32be', 'gb18030'];
  const text = fc.string({ unit: 'grapheme' }).filter((each) => !/[\n\ufeff\ufffd]|\r$/.test(each));
  fc.assert(
    fc.property(fc.constantFrom(...names), text, (encoding, written) => {
      const [record] = recordsOf(batchOf([iconv.encode(`${written}\n`, encoding)], { encoding }));
      expect(record?.body).toBe(written);
    }),
  );
});
