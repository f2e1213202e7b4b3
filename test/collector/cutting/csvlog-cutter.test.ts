import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvlogCutter } from '../../../src/collector/cutting/csvlog-cutter.ts';
import type { CutOptions } from '../../../src/collector/cutting/cutter.ts';

const OPTIONS: CutOptions = { last: false, maxRecordBytes: 1024, maxRecords: 1000 };

/** The records of bytes that arrive in pieces, with the mark after each marked record. */
function recordsOf(bytes: Buffer, pieces: readonly number[] = [bytes.length], options = OPTIONS): string[] {
  const records: string[] = [];
  let position = 0;
  let seen = 0;
  for (let turn = 0; seen < bytes.length; turn++) {
    seen = Math.min(bytes.length, seen + (pieces[turn % pieces.length] ?? 1));
    for (;;) {
      const cut = csvlogCutter.cut(bytes.subarray(position, seen), {
        ...options,
        last: seen === bytes.length,
      });
      const marks = new Map(cut.marks.map(({ index, mark }) => [index, mark]));
      for (const [index, size] of cut.sizes.entries()) {
        records.push(bytes.toString('latin1', position, position + size) + (marks.get(index) ?? ''));
        position += size;
      }
      if (cut.length === 0) break;
    }
  }
  return records;
}

const record = (message: string, user = '"u"') =>
  `2026-11-20 08:52:21.581 UTC,${user},"d",1,"[local]",6b.1,8,"DO",2026-11-20 08:52:21 UTC,3/9,0,WARNING,01000,` +
  `"${message.replaceAll('"', '""')}",,,,,,,,,"psql","client backend",,0\n`;

describe('the csvlog cutter', () => {
  it('keeps lines within quotes in their record', () => {
    const records = [record('one'), record('a "word",\nand a line\r\n'), record(''), record('"\n"')];
    expect(recordsOf(Buffer.from(records.join('')))).toEqual(records);
  });

  it('keeps a message that looks like records in one record', () => {
    const records = [record(`COPY:\n${record('inner')}\n${record('inner')}`), record('next')];
    expect(recordsOf(Buffer.from(records.join('')))).toEqual(records);
  });

  it('waits for the end of a record', () => {
    const whole = record('a\nb');
    for (let end = 0; end < whole.length; end++)
      expect(csvlogCutter.cut(Buffer.from(whole.slice(0, end)), OPTIONS).length).toBe(0);
    expect(csvlogCutter.cut(Buffer.from(whole), OPTIONS).length).toBe(whole.length);
  });

  it('marks the rest at the end', () => {
    const torn = record('a\nb').slice(0, -10);
    expect(recordsOf(Buffer.from(record('x') + torn))).toEqual([record('x'), `${torn}unterminated`]);
  });

  it('finds the next record after a torn record, with and without a line end', () => {
    for (const tear of ['', '\n']) {
      const torn = `${record('torn').slice(0, 120)}${tear}`;
      const records = [torn, record('one'), record('two\nlines'), record('three')];
      const found = recordsOf(Buffer.from(records.join('')));
      if (tear === '\n') expect(found).toEqual(records);
      else expect(found).toEqual([`${records[0]}${records[1]}`, records[2], records[3]]);
    }
  });

  it('finds the next record after lines that are not records', () => {
    expect(recordsOf(Buffer.from(`hello\nworld\n${record('one')}`))).toEqual([
      'hello\nworld\n',
      record('one'),
    ]);
  });

  it('cuts a record that is too long, and continues after it', () => {
    const long = record('x\n'.repeat(800));
    const found = recordsOf(Buffer.from(long + record('next')));
    expect(found).toEqual([`${long.slice(0, 1024)}cut`, long.slice(1024), record('next')]);
  });

  it('cuts the same records for bytes in pieces of any size', () => {
    const message = fc.string({
      unit: fc.constantFrom('a', '"', '\n', '\r', ',', '2026-11-20 08:52:21.581 UTC,"u",'),
      maxLength: 40,
    });
    const records = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: message.map((text) => record(text)) },
        {
          weight: 1,
          arbitrary: fc.tuple(message, fc.nat(200)).map(([text, end]) => record(text).slice(0, end)),
        },
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(
        records,
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
        (parts, pieces) => {
          const bytes = Buffer.from(parts.join(''));
          const options = { ...OPTIONS, maxRecordBytes: 400 };
          expect(recordsOf(bytes, pieces, options)).toEqual(recordsOf(bytes, undefined, options));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('cuts a damaged record in the same way when the next one begins at the limit', () => {
    const text = record('');
    const damaged = text.slice(0, text.indexOf('"psql"') + 3);
    const bytes = Buffer.from(`${damaged}\n${text}`);
    for (let limit = damaged.length - 2; limit <= damaged.length + 25; limit++) {
      const options = { ...OPTIONS, maxRecordBytes: limit };
      expect(recordsOf(bytes, [limit, 1, 40], options)).toEqual(recordsOf(bytes, undefined, options));
    }
  });

  it('cuts each valid file into its records', () => {
    const message = fc.string({ unit: fc.constantFrom('a', '"', '\n', '\r\n', ',', 'é'), maxLength: 30 });
    fc.assert(
      fc.property(fc.array(fc.tuple(message, fc.constantFrom('"u"', '')), { maxLength: 6 }), (messages) => {
        const records = messages.map(([text, user]) => record(text, user));
        const found = recordsOf(Buffer.from(records.join(''), 'latin1'));
        expect(found).toEqual(records);
      }),
    );
  });
});
