import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CutOptions, Cutter } from '../../../src/collector/cutting/cutter.ts';
import { lineCutter } from '../../../src/collector/cutting/line-cutter.ts';
import {
  multilineByContinuation,
  multilineByStart,
} from '../../../src/collector/cutting/multiline-cutter.ts';
import { LIMITS } from '../../../src/records/limits.ts';

const OPTIONS: CutOptions = {
  last: false,
  maxRecordBytes: LIMITS.recordBytes,
  maxRecords: LIMITS.batchRecords,
};

function recordsOf(cutter: Cutter, text: string | Buffer, options: Partial<CutOptions> = {}): string[] {
  const bytes = Buffer.from(text as string);
  const { sizes, length } = cutter.cut(bytes, { ...OPTIONS, ...options });
  const records: string[] = [];
  let offset = 0;
  for (const size of sizes) {
    records.push(bytes.toString('latin1', offset, offset + size));
    offset += size;
  }
  expect(offset).toBe(length);
  return records;
}

/** Passes the bytes in pieces, as a reader of a growing file does, and cuts the rest at the end. */
function recordsOfPieces(cutter: Cutter, bytes: Buffer, pieces: readonly number[], options: CutOptions) {
  const records: string[] = [];
  let position = 0;
  let seen = 0;
  let turn = 0;
  while (position < bytes.length) {
    seen = Math.min(bytes.length, seen + (pieces[turn % pieces.length] ?? 1));
    turn++;
    const last = seen === bytes.length;
    for (;;) {
      const cut = cutter.cut(bytes.subarray(position, seen), { ...options, last });
      for (const size of cut.sizes) {
        records.push(bytes.toString('latin1', position, position + size));
        position += size;
      }
      if (cut.length === 0) break;
    }
    if (last) break;
  }
  return records;
}

describe('the line cutter', () => {
  it('cuts after each line feed and leaves the rest', () => {
    expect(recordsOf(lineCutter, 'one\n\r\ntwo\r\nthr')).toEqual(['one\n', '\r\n', 'two\r\n']);
  });

  it('cuts and marks the rest when no more bytes follow', () => {
    const cut = lineCutter.cut(Buffer.from('one\ntwo'), { ...OPTIONS, last: true });
    expect([...cut.sizes]).toEqual([4, 3]);
    expect(cut.marks).toEqual([{ index: 1, mark: 'unterminated' }]);
    expect(lineCutter.cut(Buffer.from('one\n'), { ...OPTIONS, last: true }).marks).toEqual([]);
  });

  it('cuts and marks a line longer than the limit', () => {
    const cut = lineCutter.cut(Buffer.from('abcdefgh\nxy\nabcdef'), { ...OPTIONS, maxRecordBytes: 4 });
    expect([...cut.sizes]).toEqual([4, 4, 1, 3, 4]);
    expect(cut.marks).toEqual([
      { index: 0, mark: 'cut' },
      { index: 1, mark: 'cut' },
      { index: 4, mark: 'cut' },
    ]);
  });

  it('does not cut a line of exactly the limit', () => {
    const cut = lineCutter.cut(Buffer.from('abc\nabc\n'), { ...OPTIONS, maxRecordBytes: 4 });
    expect([...cut.sizes]).toEqual([4, 4]);
    expect(cut.marks).toEqual([]);
  });

  it('stops at the limit of records', () => {
    const cut = lineCutter.cut(Buffer.from('\n'.repeat(LIMITS.batchRecords + 5)), OPTIONS);
    expect(cut.sizes.length).toBe(LIMITS.batchRecords);
    expect(cut.length).toBe(LIMITS.batchRecords);
  });

  it('returns separate sizes for each call', () => {
    const first = lineCutter.cut(Buffer.from('a\nbb\n'), OPTIONS);
    lineCutter.cut(Buffer.from('cccc\nddddd\n'), OPTIONS);
    expect([...first.sizes]).toEqual([2, 3]);
  });
});

describe('the multiline cutter', () => {
  const byDate = multilineByStart(/^\d{4}-/);
  const byIndent = multilineByContinuation(/^\s/);

  it('begins a record at each line that matches `start`', () => {
    const text = '2024-1 a\n  at x\n2025-2 b\n2026-3 c\r\nmore\n';
    expect(recordsOf(byDate, text)).toEqual(['2024-1 a\n  at x\n', '2025-2 b\n']);
    expect(recordsOf(byDate, text, { last: true })).toEqual([
      '2024-1 a\n  at x\n',
      '2025-2 b\n',
      '2026-3 c\r\nmore\n',
    ]);
  });

  it('joins each line that matches `continue` to the line before it', () => {
    expect(recordsOf(byIndent, 'a\n b\n\tc\nd\ne\n', { last: true })).toEqual(['a\n b\n\tc\n', 'd\n', 'e\n']);
  });

  it('matches lines without their ending', () => {
    const cutter = multilineByStart(/^begin$/);
    expect(recordsOf(cutter, 'begin\r\nx\r\nbegin\r\ny\r\n', { last: true })).toHaveLength(2);
  });

  it('waits for the end of a line before it matches it', () => {
    expect(recordsOf(byDate, '2024-1 a\n2025-')).toEqual([]);
    expect(recordsOf(byDate, '2024-1 a\n2025-', { last: true })).toEqual(['2024-1 a\n', '2025-']);
  });

  it('marks a last record only when its line has no end', () => {
    expect(byDate.cut(Buffer.from('2024-1\nx'), { ...OPTIONS, last: true }).marks).toEqual([
      { index: 0, mark: 'unterminated' },
    ]);
    expect(byDate.cut(Buffer.from('2024-1\nx\n'), { ...OPTIONS, last: true }).marks).toEqual([]);
  });

  it('cuts a record that is too long after a line', () => {
    const cut = byIndent.cut(Buffer.from('abc\n def\n ghi\n j\nk\n'), { ...OPTIONS, maxRecordBytes: 10 });
    expect([...cut.sizes]).toEqual([9, 8]);
    expect(cut.marks).toEqual([{ index: 0, mark: 'cut' }]);
  });
});

const cutters: [string, Cutter][] = [
  ['lines', lineCutter],
  ['start', multilineByStart(/^a/)],
  ['continue', multilineByContinuation(/^[ b]/)],
];

describe.each(cutters)('any cutter (%s)', (_name, cutter) => {
  const text = fc.array(fc.constantFrom('a', 'b', ' ', '\n', '\n', '\r\n', 'é', '\0'), { maxLength: 80 });
  const pieces = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });
  const limits = fc.record({
    maxRecordBytes: fc.integer({ min: 1, max: 20 }),
    maxRecords: fc.integer({ min: 1, max: 10 }),
  });

  it('returns the same records, and all of them, for bytes in pieces of any size', () => {
    fc.assert(
      fc.property(text, pieces, limits, (parts, sizes, limit) => {
        const bytes = Buffer.from(parts.join(''));
        const options = { ...OPTIONS, ...limit };
        const whole = recordsOfPieces(cutter, bytes, [bytes.length || 1], options);
        const pieced = recordsOfPieces(cutter, bytes, sizes, options);
        expect(pieced).toEqual(whole);
        expect(pieced.join('')).toBe(bytes.toString('latin1'));
        for (const record of pieced) expect(record.length).toBeLessThanOrEqual(limit.maxRecordBytes);
      }),
      { numRuns: 2000 },
    );
  });
});
