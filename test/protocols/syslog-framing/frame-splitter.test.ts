import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  SyslogFrameSplitter,
  type SyslogFraming,
} from '../../../src/protocols/syslog-framing/frame-splitter.ts';

interface Options {
  readonly framing?: SyslogFraming;
  readonly keptBytes?: number;
}

/**
 * The messages as text: with their kind unless they are whole, and the size of truncated ones. A visitor of whole lines
 * receives the same.
 */
function split(chunks: readonly (Uint8Array | string)[], options: Options = {}): string[] {
  const messages = splitFor(false, chunks, options);
  expect(splitFor(true, chunks, options)).toEqual(messages);
  return messages;
}

function splitFor(
  hasLines: boolean,
  chunks: readonly (Uint8Array | string)[],
  { framing = 'auto', keptBytes = 1000 }: Options,
): string[] {
  const messages: string[] = [];
  const lines = (bytes: Uint8Array, sizes: Uint32Array) => {
    let at = 0;
    for (const size of sizes) {
      messages.push(Buffer.from(bytes.subarray(at, at + size - 1)).toString('latin1'));
      expect(bytes[at + size - 1]).toBe(10);
      at += size;
    }
    expect(at).toBe(bytes.length);
  };
  const visitor = {
    lines: hasLines ? lines : undefined,
    message: (bytes: Uint8Array, kind: string, truncatedFrom: number | undefined) => {
      const mark = kind === 'line' || kind === 'counted' ? '' : `${kind}: `;
      const size = truncatedFrom === undefined ? '' : `...${truncatedFrom}`;
      messages.push(`${mark}${Buffer.from(bytes).toString('latin1')}${size}`);
    },
  };
  const splitter = new SyslogFrameSplitter({ framing, keptBytes });
  for (const chunk of chunks) {
    splitter.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : Uint8Array.from(chunk), visitor);
    expect(splitter.heldBytes).toBeLessThanOrEqual(keptBytes + 16);
  }
  splitter.end(visitor);
  return messages;
}

const counted = (text: string) => `${Buffer.byteLength(text, 'latin1')} ${text}`;
const FRAMINGS: readonly SyslogFraming[] = ['auto', 'octet', 'lf', 'nul'];

/** A message that may be sent in any frame: no line ending, and it begins with a priority. */
const message = fc
  .tuple(
    fc.nat({ max: 191 }),
    fc.string({ unit: fc.constantFrom('a', '7', ' ', '<', '>', '{', '\t', 'é'), maxLength: 30 }),
  )
  .map(([priority, text]) => `<${priority}>${text}`);

describe('the splitter of syslog frames', () => {
  it('reads both framings on one connection', () => {
    const text = `${counted('<165>1 - multi\nline')}<34>Oct 11 line\n${counted('{"a":1}')}${counted('<1>x\n')}\n{"b":2}\r\n`;
    expect(split([text])).toEqual(['<165>1 - multi\nline', '<34>Oct 11 line', '{"a":1}', '<1>x', '{"b":2}']);
  });

  it('returns the same messages for any split of any mix of frames', () => {
    const frame = message.chain((text) =>
      fc.constantFrom(
        { text, bytes: counted(text) },
        { text, bytes: `${text}\n` },
        { text, bytes: `${text}\r\n` },
      ),
    );
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.nat({ max: 400 })), (frames, cuts) => {
        const all = Buffer.from(frames.map(({ bytes }) => bytes).join(''), 'latin1');
        const ends = [...cuts.filter((cut) => cut < all.length), all.length].sort((a, b) => a - b);
        const chunks = ends.map((end, index) => all.subarray(ends[index - 1] ?? 0, end));
        expect(split(chunks)).toEqual(frames.map(({ text }) => text));
      }),
      { numRuns: 500 },
    );
  });

  it('removes a line ending that begins after the kept bytes', () => {
    const bytes = Buffer.from('123456789012345\r\n\0');
    const options = { framing: 'nul', keptBytes: 15 } as const;
    expect(split([bytes], options)).toEqual(['123456789012345']);
    expect(split([bytes.subarray(0, 10), bytes.subarray(10)], options)).toEqual(['123456789012345']);
  });

  it('returns the same messages for any split of any bytes, in each framing', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc
        .string({
          unit: fc.constantFrom('1', '9', ' ', '<', '3', '>', '{', '\n', '\r', '\0', 'x'),
          maxLength: 12,
        })
        .map((text) => Buffer.from(text)),
      message.map((text) => Buffer.from(counted(text), 'latin1')),
    );
    fc.assert(
      fc.property(
        fc.array(piece),
        fc.array(fc.nat({ max: 300 })),
        fc.constantFrom(...FRAMINGS),
        (pieces, cuts, framing) => {
          const all = Buffer.concat(pieces);
          const ends = [...cuts.filter((cut) => cut < all.length), all.length].sort((a, b) => a - b);
          const chunks = ends.map((end, index) => all.subarray(ends[index - 1] ?? 0, end));
          const options = { framing, keptBytes: 15 };
          const whole = split([all], options);
          expect(split(chunks, options)).toEqual(whole);
          expect(
            split(
              Array.from(all, (byte) => Uint8Array.of(byte)),
              options,
            ),
          ).toEqual(whole);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('keeps garbage after a counted message as one record, and reads the following frames', () => {
    const garbage = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', ':', '>', '<'),
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(garbage, message, (text, after) => {
        const messages = split([counted('<1>before'), `x${text}`, counted(after), counted('<2>last')]);
        expect(messages).toEqual(['<1>before', `garbage: x${text}`, after, '<2>last']);
      }),
    );
  });

  it('reads the following lines after a wrong count', () => {
    expect(split(['5 <1>too long for its count\n', '<2>next\n'])).toEqual([
      '<1>to',
      'garbage: o long for its count',
      '<2>next',
    ]);
  });

  it.each([
    '404 <html>',
    '2015 something',
    '0 <1>x',
    '08 <1>x',
    '12 <1234>x',
    '99999999 <1>x',
    '5<1>x',
    '5  <1>x',
  ])('reads %j as a line', (line) => {
    expect(split([`${line}\n<2>next\n`])).toEqual([line, '<2>next']);
  });

  it('skips empty lines, and strips one CR and one trailing LF', () => {
    expect(split(['\n\r\n<1>a\r\n\n', counted('<2>b\r\n'), '\n', counted('<3>c\n\n')])).toEqual([
      '<1>a',
      '<2>b',
      '<3>c\n',
    ]);
  });

  it('delivers the unterminated message at the end of the connection', () => {
    expect(split(['<1>a\n<2>unfinish'])).toEqual(['<1>a', 'unterminated: <2>unfinish']);
    expect(split(['20 <1>a'])).toEqual(['unterminated: <1>a']);
    expect(split(['20 <1'])).toEqual(['unterminated: 20 <1']);
  });

  it('truncates a message above the limit, once, with its size', () => {
    const options = { keptBytes: 10 };
    const long = `<1>${'x'.repeat(5000)}`;
    const kept = `${long.slice(0, 10)}...5003`;
    for (const chunk of [1, 3, 7, 100_000]) {
      const all = Buffer.from(`${long}\n${counted(long)}<2>1234567\r\n<3>next\n`);
      const chunks = Array.from({ length: Math.ceil(all.length / chunk) }, (_, i) =>
        all.subarray(i * chunk, (i + 1) * chunk),
      );
      expect(split(chunks, options)).toEqual([kept, kept, '<2>1234567', '<3>next']);
    }
  });

  it('ends messages with NUL when configured, and keeps line feeds inside', () => {
    expect(split(['<1>a\nb\0<2>c\n\0\0<3>d\0'], { framing: 'nul' })).toEqual(['<1>a\nb', '<2>c', '<3>d']);
  });

  it('reads counts before any message, and lines, when configured', () => {
    expect(split(['5 hello3 <1>\n4 abcd'], { framing: 'octet' })).toEqual(['hello', '<1>', 'abcd']);
    expect(split(['5 <1>ab\n'], { framing: 'lf' })).toEqual(['5 <1>ab']);
  });
});
