import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CutOptions, Cutter } from '../../../src/collector/cutting/cutter.ts';
import { cutterFor } from '../../../src/collector/cutting/cutter-for.ts';
import { formatNamed } from '../../../src/formats/registry.ts';
import { LIMITS } from '../../../src/records/limits.ts';

const OPTIONS: CutOptions = {
  last: false,
  maxRecordBytes: LIMITS.recordBytes,
  maxRecords: LIMITS.batchRecords,
};

const T = '2026-11-28T10:00:00.123456789Z';
const cri = cutterFor(undefined, 'cri');
const docker = cutterFor(undefined, 'docker-json');

const dockerLine = (log: string, stream = 'stdout') => `${JSON.stringify({ log, stream, time: T })}\n`;

/** The records with their marks. */
function cutAll(cutter: Cutter, text: string, options: Partial<CutOptions> = {}): string[][] {
  const bytes = Buffer.from(text);
  const { sizes, marks } = cutter.cut(bytes, { ...OPTIONS, ...options });
  let offset = 0;
  return Array.from(sizes, (size, index) => {
    offset += size;
    const mark = marks.find((each) => each.index === index)?.mark;
    return [bytes.toString('utf8', offset - size, offset), ...(mark === undefined ? [] : [mark])];
  });
}

/** Passes the bytes in pieces, as a reader of a growing file does. */
function recordsOfPieces(cutter: Cutter, bytes: Buffer, pieces: readonly number[], options: CutOptions) {
  const records: string[] = [];
  let position = 0;
  let seen = 0;
  for (let turn = 0; position < bytes.length; turn++) {
    seen = Math.min(bytes.length, seen + (pieces[turn % pieces.length] ?? 1));
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

describe('lines of CRI', () => {
  it('joins the parts of a line and does not wait after a full line', () => {
    const joined = `${T} stdout P one,\n${T} stdout P two,\n${T} stdout F three\n`;
    const full = `${T} stderr F four\n`;
    expect(cutAll(cri, joined + full)).toEqual([[joined], [full]]);
  });

  it('waits for the rest of a partial line', () => {
    expect(cutAll(cri, `${T} stdout P one,\n`)).toEqual([]);
    expect(cutAll(cri, `${T} stdout P one,\n${T} stdo`)).toEqual([]);
  });

  it('marks a partial line whose rest never comes', () => {
    const part = `${T} stdout P one,\n`;
    expect(cutAll(cri, part, { last: true })).toEqual([[part, 'unterminated']]);
  });

  it('never joins stdout with stderr: the interrupted record is marked', () => {
    const [a, b, c] = [`${T} stdout P one,\n`, `${T} stderr F error\n`, `${T} stdout F two\n`];
    expect(cutAll(cri, a + b + c)).toEqual([[a, 'cut'], [b], [c]]);
    const partial = `${T} stderr P error,\n`;
    expect(cutAll(cri, a + partial + c)).toEqual([[a, 'cut'], [partial, 'cut'], [c]]);
  });

  it('does not join lines without a header', () => {
    const [a, b, c] = [`${T} stdout P one,\n`, 'no header\n', `${T} stdout F two\n`];
    expect(cutAll(cri, a + b + c)).toEqual([[a, 'cut'], [b], [c]]);
  });

  it('cuts a record that is too long before the line that does not fit', () => {
    const line = (tag: string) => `${T} stdout ${tag} 0123456789\n`;
    const maxRecordBytes = 2 * line('P').length + 5;
    expect(cutAll(cri, line('P').repeat(3) + line('F'), { maxRecordBytes })).toEqual([
      [line('P').repeat(2), 'cut'],
      [line('P') + line('F')],
    ]);
  });

  it('cuts a record of endless parts at the largest size of a record', () => {
    const line = `${T} stdout P ${'x'.repeat(16 * 1024)}\n`;
    const records = cutAll(cri, line.repeat(200), { last: true });
    expect(records.map(([text = '']) => text).join('')).toBe(line.repeat(200));
    for (const [text = '', mark] of records) {
      expect(text.length).toBeLessThanOrEqual(LIMITS.recordBytes);
      expect(mark).toBeDefined();
    }
  });

  it('matches multiline with the messages of one stream', () => {
    const cutter = cutterFor({ continue: /^\s/ }, 'cri');
    const trace = `${T} stderr F Error: x\n${T} stderr P   at \n${T} stderr F one\n${T} stderr F   at two\n`;
    const other = `${T} stdout F   indented\n`;
    expect(cutAll(cutter, trace + other)).toEqual([[trace]]);
    expect(cutAll(cutter, trace + other, { last: true })).toEqual([[trace], [other]]);
    const byStart = cutterFor({ start: /^Error/ }, 'cri');
    expect(cutAll(byStart, trace + trace, { last: true })).toEqual([[trace], [trace]]);
  });
});

describe('lines of Docker', () => {
  it('joins lines until the log ends with a line feed', () => {
    const joined =
      dockerLine('one "quoted", ') + dockerLine('two\\') + dockerLine('three\\n') + dockerLine('\n');
    const full = dockerLine('a line\n', 'stderr');
    expect(cutAll(docker, joined + full)).toEqual([[joined], [full]]);
  });

  it('reads keys in any order', () => {
    const a = `{"time":"${T}","stream":"stdout","log":"one,"}\n`;
    const b = `{ "stream" : "stdout", "log" : "two\\n", "time" : "${T}" }\n`;
    expect(cutAll(docker, a + b)).toEqual([[a + b]]);
  });

  it('keeps a log that looks like the keys of a line', () => {
    const line = dockerLine('","stream":"stderr","log":"x\n');
    const part = dockerLine('","stream":"stderr","log":"x');
    expect(cutAll(docker, part + line)).toEqual([[part + line]]);
  });

  it('matches multiline with the messages', () => {
    const cutter = cutterFor({ start: /^\d{4}-/ }, 'docker-json');
    const text = dockerLine('2026-11 a\n') + dockerLine('  at x\n');
    expect(cutAll(cutter, text + text, { last: true })).toEqual([[text], [text]]);
  });
});

const message = fc.array(fc.constantFrom('a', ' ', '"', '\\', 'é', '{', 'n', ',"stream":"'), {
  maxLength: 6,
});
const parts = fc.array(
  fc.record({
    text: message.map((texts) => texts.join('')),
    stream: fc.constantFrom('stdout', 'stdout', 'stderr'),
    isPartial: fc.boolean(),
    isForeign: fc.integer({ min: 0, max: 12 }).map((number) => number === 0),
  }),
  { maxLength: 12 },
);
type Part = { text: string; stream: string; isPartial: boolean; isForeign: boolean };
const pieces = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 8 });

const writers: [string, (part: Part) => string][] = [
  ['cri', ({ text, stream, isPartial }) => `${T} ${stream} ${isPartial ? 'P' : 'F'} ${text}\n`],
  ['docker-json', ({ text, stream, isPartial }) => dockerLine(isPartial ? text : `${text}\n`, stream)],
];

describe.each(writers)('any log of the format %s', (format, write) => {
  const textOf = (lines: readonly Part[]) =>
    lines.map((part) => (part.isForeign ? `${part.text}\n` : write(part))).join('');

  it.each([
    ['lines', undefined],
    ['multiline', { continue: /^[ "]/ }],
  ])('has the same records for bytes in pieces of any size (%s)', (_, multiline) => {
    const limits = fc.record({
      maxRecordBytes: fc.integer({ min: 1, max: 400 }),
      maxRecords: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(parts, pieces, limits, fc.boolean(), (lines, sizes, limit, hasEnd) => {
        const text = textOf(lines);
        const bytes = Buffer.from(hasEnd ? text : text.slice(0, -1));
        const options = { ...OPTIONS, ...limit };
        const cutter = cutterFor(multiline, format);
        const whole = recordsOfPieces(cutter, bytes, [bytes.length || 1], options);
        const pieced = recordsOfPieces(cutter, bytes, sizes, options);
        expect(pieced).toEqual(whole);
        expect(pieced.join('')).toBe(bytes.toString('latin1'));
        for (const record of pieced) expect(record.length).toBeLessThanOrEqual(limit.maxRecordBytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('has one record for each message that no other stream interrupts', () => {
    fc.assert(
      fc.property(parts, (lines) => {
        const own = lines.filter(({ isForeign }) => !isForeign);
        const expected: { stream: string; text: string; isOpen: boolean }[] = [];
        for (const { stream, text, isPartial } of own) {
          const before = expected.at(-1);
          if (before?.isOpen && before.stream === stream) {
            before.text += text;
            before.isOpen = isPartial;
          } else expected.push({ stream, text, isOpen: isPartial });
        }
        const cut = cutAll(cutterFor(undefined, format), textOf(own), { last: true });
        const parsed = cut.map(([record = '', mark]) => {
          const { attributes } = formatNamed(format).parse(Buffer.from(record), PLAIN_MESSAGES);
          return { stream: attributes.get('log.iostream'), isOpen: mark !== undefined };
        });
        expect(parsed).toEqual(expected.map(({ stream, isOpen }) => ({ stream, isOpen })));
        const bodies = cut.map(
          ([record = '']) => formatNamed(format).parse(Buffer.from(record), PLAIN_MESSAGES).body,
        );
        expect(bodies).toEqual(expected.map(({ text }) => text));
      }),
      { numRuns: 1000 },
    );
  });
});

const PLAIN_MESSAGES = {
  resource: new Map([['megacollector.format_options', 'plain']]),
  observedTimeUnixNano: 0n,
};
