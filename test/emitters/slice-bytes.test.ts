import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sliceBytes } from '../../src/emitters/slice-bytes.ts';
import { sliceRecords } from '../../src/records/record-batch.ts';
import { lines, recordBatch } from '../support/record-batches.ts';

const text = (parts: readonly Uint8Array[]) => Buffer.concat(parts).toString();

describe('bodies', () => {
  test("of complete lines are the slice's own bytes without a copy", () => {
    const batch = recordBatch(lines(3));
    expect(sliceBytes(batch, 'body')).toEqual([batch.data]);
    const slice = sliceRecords(batch, 1, 2);
    const [part] = sliceBytes(slice, 'body');
    expect(part?.buffer).toBe(slice.data.buffer);
    expect(part).toEqual(slice.data);
  });

  test('keep arbitrary bytes', () => {
    const batch = recordBatch(['a\r\n', Uint8Array.of(0xff, 0x0a), 'multi\nline\n']);
    expect(Buffer.concat(sliceBytes(batch, 'body'))).toEqual(batch.data);
  });

  test('without a line ending get one', () => {
    const batch = recordBatch(['a', 'b\n', 'c', 'd'], {
      marks: [
        { index: 0, mark: 'cut' },
        { index: 1, mark: 'cut' },
        { index: 2, mark: 'unterminated' },
      ],
    });
    expect(text(sliceBytes(batch, 'body'))).toBe('a\nb\nc\nd\n');
    expect(text(sliceBytes(sliceRecords(batch, 1, 3), 'body'))).toBe('b\nc\n');
  });

  test('of arbitrary records, also truncated ones, are one or more lines each, in order', () => {
    const record = fc.record({ body: fc.stringMatching(/^[a-z]{1,5}$/), isWhole: fc.boolean() });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), (records) => {
        const batch = recordBatch(
          records.map(({ body, isWhole }) => (isWhole ? `${body}\n` : body)),
          {
            marks: records.flatMap(({ isWhole }, index) =>
              isWhole ? [] : [{ index, mark: 'cut' as const }],
            ),
          },
        );
        expect(text(sliceBytes(batch, 'body'))).toBe(records.map(({ body }) => `${body}\n`).join(''));
      }),
    );
  });
});

test('bodies of records that are not text are separate lines', () => {
  const batch = recordBatch(['a', 'b'], { format: 'logfebe' });
  expect(text(sliceBytes(batch, 'body'))).toBe('a\nb\n');
});

test('json is one object per record', () => {
  const batch = recordBatch(['a\n', 'b'], { marks: [{ index: 1, mark: 'unterminated' }] });
  const objects = text(sliceBytes(batch, 'json')).split('\n');
  expect(objects.pop()).toBe('');
  expect(objects.map((line) => JSON.parse(line))).toMatchObject([
    { body: 'a', position: 0 },
    { body: 'b', position: 2, attributes: { 'megacollector.record_mark': 'unterminated' } },
  ]);
});
