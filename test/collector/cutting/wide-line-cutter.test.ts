import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import type { CutOptions, Cutter } from '../../../src/collector/cutting/cutter.ts';
import { cutterFor } from '../../../src/collector/cutting/cutter-for.ts';
import { textEncoding } from '../../../src/formats/encodings/text-encoding.ts';
import { unitBytesOf } from '../../../src/formats/encodings/unit-bytes.ts';
import { compilePattern } from '../../../src/patterns/compile-pattern.ts';
import { LIMITS } from '../../../src/records/limits.ts';

const OPTIONS: CutOptions = {
  last: false,
  maxRecordBytes: LIMITS.recordBytes,
  maxRecords: LIMITS.batchRecords,
};

const WIDE = ['utf-16le', 'utf-16be', 'utf-32le', 'utf-32be'] as const;

/** Records as texts, of bytes that arrive in pieces of these sizes. `start`: the position of the bytes in the file. */
function textsOf(
  cutter: Cutter,
  bytes: Buffer,
  { encoding, pieces = [bytes.length], start = 0, options = OPTIONS }: Reading,
): string[] {
  const texts: string[] = [];
  let from = 0;
  for (let seen = 0, turn = 0; seen < bytes.length; turn++) {
    seen = Math.min(bytes.length, seen + (pieces[turn % pieces.length] ?? 1));
    for (let cutBytes = 1; cutBytes > 0; ) {
      const position = start + from;
      const cut = cutter.cut(bytes.subarray(from, seen), {
        ...options,
        last: seen === bytes.length,
        position,
      });
      for (const size of cut.sizes) {
        const record = bytes.subarray(from, from + size);
        texts.push(textEncoding(encoding)?.decode(record, start + from).text ?? '');
        from += size;
      }
      cutBytes = cut.length;
    }
  }
  expect(from).toBe(bytes.length);
  return texts;
}

interface Reading {
  readonly encoding: string;
  readonly pieces?: readonly number[];
  readonly start?: number;
  readonly options?: CutOptions;
}

describe.each(WIDE)('lines in %s', (encoding) => {
  const cutter = cutterFor(undefined, 'plain', encoding);

  it('end at a line feed, and not at a byte 0x0A of a character', () => {
    const text = '\u0a41\u410a\u000a\u0a0a\u0a00\r\nrest';
    const bytes = iconv.encode(text, encoding);
    expect(textsOf(cutter, bytes, { encoding })).toEqual(['\u0a41\u410a\n', '\u0a0a\u0a00\r\n', 'rest']);
  });

  it('are the same for bytes that arrive in pieces of any size', () => {
    const letters = fc.constantFrom('a', '\n', '\r\n', '\u0a0a', '\u0a00', '\u000d', '\u{1f600}', 'é');
    const text = fc.array(letters, { maxLength: 60 }).map((all) => all.join(''));
    const pieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(text, pieces, (written, sizes) => {
        const bytes = iconv.encode(written, encoding);
        const lines = written.split(/(?<=\n)/).filter((line) => line !== '');
        expect(textsOf(cutter, bytes, { encoding, pieces: sizes })).toEqual(lines);
      }),
      { numRuns: 200 },
    );
  });

  it('are cut between two characters when they are too long', () => {
    const text = '\u{1f600}'.repeat(40);
    const bytes = iconv.encode(text, encoding);
    for (const maxRecordBytes of [11, 13, 14, 15, 16, 17]) {
      const texts = textsOf(cutter, bytes, { encoding, options: { ...OPTIONS, maxRecordBytes } });
      expect(texts.length).toBeGreaterThan(5);
      expect(texts.join('')).toBe(text);
      expect(texts.every((each) => !each.includes('\ufffd'))).toBe(true);
    }
  });

  it('begin at multiples of the code unit in the file, also after a first record that does not', () => {
    const bytes = iconv.encode('\u0a0aone\ntwo\n', encoding).subarray(1);
    expect(textsOf(cutter, bytes, { encoding, start: 1 }).at(-1)).toBe('two\n');
  });

  it('leave a part of a code unit at the end of the bytes for the next read', () => {
    const bytes = iconv.encode('ab', encoding).subarray(0, -1);
    const cut = cutter.cut(bytes, { ...OPTIONS, last: true });
    expect([...cut.sizes]).toEqual([unitBytesOf(encoding)]);
    expect(cut.marks).toEqual([{ index: 0, mark: 'unterminated' }]);
  });

  it('are joined by expressions that are matched with their text', () => {
    const text = 'é 1\n  at a\n  at b\r\né 2\n  at \u0a0a\n';
    const bytes = iconv.encode(text, encoding);
    const records = ['é 1\n  at a\n  at b\r\n', 'é 2\n  at \u0a0a\n'];
    for (const multiline of [{ start: compilePattern('^é \\d$') }, { continue: compilePattern('^\\s') }]) {
      const joining = cutterFor(multiline, 'plain', encoding);
      for (const pieces of [[bytes.length], [1], [3, 5]])
        expect(textsOf(joining, bytes, { encoding, pieces })).toEqual(records);
    }
  });
});

it('joins lines of Latin-1 by an expression that has a letter of Latin-1', () => {
  const bytes = Buffer.from('é 1\n  at a\né 2\n', 'latin1');
  const cutter = cutterFor({ start: compilePattern('^é') }, 'plain', 'iso-8859-1');
  expect(textsOf(cutter, bytes, { encoding: 'iso-8859-1' })).toEqual(['é 1\n  at a\n', 'é 2\n']);
});
