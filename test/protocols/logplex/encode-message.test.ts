import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeMessage, type LogplexMessage } from '../../../src/protocols/logplex/encode-message.ts';
import { decodeFrames } from '../../support/logplex-decoder.ts';

const message: LogplexMessage = {
  priority: 134,
  timeUnixNano: BigInt(Date.UTC(2014, 6, 14, 23, 36, 11)) * 1_000_000n,
  host: 'postgres',
  token: 't.9d19ac58-0597-4ea0-94b0-45778803597c',
  processId: 'postgres.4242',
  text: '[db1] division by zero\nQuery: select 1/0\n',
};

const HEADER =
  '<134>1 2014-07-14T23:36:11.000Z postgres t.9d19ac58-0597-4ea0-94b0-45778803597c postgres.4242 - - ';
const ROOM = 10_240 - HEADER.length;

const encoded = (text: string, longText: 'split' | 'truncate' = 'split') =>
  encodeMessage({ ...message, text }, longText);
const texts = (frames: readonly Uint8Array[]) =>
  frames.flatMap((frame) => decodeFrames(frame).map(({ text }) => text));
/** The length that a frame claims. */
const claimed = (frame: Uint8Array | undefined) =>
  Number(/^\d+/.exec(Buffer.from(frame ?? []).toString())?.[0]);

it('counts the bytes of a message, to the byte', () => {
  const { frames } = encoded(message.text);
  expect(Buffer.concat(frames).toString()).toBe(`139 ${HEADER}${message.text}`);
  expect(Buffer.concat(encoded('[db1] café\n').frames).toString()).toBe(`110 ${HEADER}[db1] café\n`);
});

it('ends with a blank if there is no text', () => {
  expect(Buffer.concat(encoded('').frames).toString()).toBe(`98 ${HEADER}`);
});

it('accepts text that looks like a frame', () => {
  const text = `12 <134>1 x\n10 `;
  const body = Buffer.concat([...encoded(text).frames, ...encoded('next').frames]);
  expect(decodeFrames(body).map((each) => each.text)).toEqual([text, 'next']);
});

describe('the longest message', () => {
  it.each([10_239, 10_240])('has up to 10240 bytes: %i', (length) => {
    const { frames, missingBytes } = encoded('x'.repeat(length - HEADER.length));
    expect(frames.map(claimed)).toEqual([length]);
    expect(missingBytes).toBe(0);
  });

  it('is split from 10241 bytes on', () => {
    const { frames } = encoded('x'.repeat(ROOM + 1));
    const [first, second] = texts(frames);
    expect(first).toBe(`${'x'.repeat(ROOM - 6)} [1/2]`);
    expect(second).toBe('xxxxxxx [2/2]');
    expect(claimed(frames[0])).toBe(10_240);
  });

  it('or is cut, with a note of the missing bytes', () => {
    const { frames, missingBytes } = encoded('x'.repeat(ROOM + 1), 'truncate');
    expect(texts(frames)).toEqual([
      `${'x'.repeat(ROOM + 1 - missingBytes)} [truncated ${missingBytes} bytes]`,
    ]);
    expect(claimed(frames[0])).toBeLessThanOrEqual(10_240);
    expect(missingBytes).toBeGreaterThan(0);
    expect(missingBytes).toBeLessThan(40);
  });

  it('is never cut inside a character', () => {
    for (let shift = 0; shift < 4; shift++) {
      for (const character of ['é', '€', '😀']) {
        const text = 'x'.repeat(shift) + character.repeat(5_000);
        const { frames } = encoded(text);
        expect(
          texts(frames)
            .map((part) => part.replace(/ \[\d+\/\d+\]$/, ''))
            .join(''),
        ).toBe(text);
        // The decoder refuses what is not UTF-8.
        expect(texts(encoded(text, 'truncate').frames)).toHaveLength(1);
      }
    }
  });

  it('numbers more than nine parts', () => {
    const text = 'x'.repeat(ROOM * 12);
    const parts = texts(encoded(text).frames);
    expect(parts).toHaveLength(13);
    expect(parts[9]).toMatch(/x \[10\/13\]$/);
    expect(encoded(text).frames.every((frame) => claimed(frame) <= 10_240)).toBe(true);
  });
});

it('keeps every text unchanged', () => {
  const characters = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constant('\0\r\n - - [1/2] '),
    fc.constant('😀'),
  );
  fc.assert(
    fc.property(characters, fc.integer({ min: 1, max: 4_000 }), (piece, times) => {
      const text = piece.repeat(times).slice(0, 200_000);
      const { frames, missingBytes } = encoded(text);
      const parts = texts(frames);
      const whole =
        parts.length === 1
          ? parts[0]
          : parts
              .map((part, index) => {
                const mark = ` [${index + 1}/${parts.length}]`;
                expect(part.endsWith(mark)).toBe(true);
                return part.slice(0, -mark.length);
              })
              .join('');
      expect(whole).toBe(Buffer.from(text).toString());
      expect(missingBytes).toBe(0);
    }),
    { numRuns: 60 },
  );
});

it('converts any host, process and time for a header', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }),
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      (host, processId, timeUnixNano) => {
        const { frames } = encodeMessage({ ...message, host, processId, timeUnixNano }, 'split');
        expect(decodeFrames(Buffer.concat(frames))).toHaveLength(1);
      },
    ),
  );
  const { frames } = encodeMessage({ ...message, host: 'my höst\n', processId: '' }, 'split');
  expect(decodeFrames(Buffer.concat(frames))[0]).toMatchObject({ host: 'my_h_st_', processId: '-' });
});
