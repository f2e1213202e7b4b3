import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeCursor, encodeCursor } from '../../../src/logstore/logs/cursor.ts';
import { searchRequest } from '../../../src/logstore/logs/log-requests.ts';
import { CursorError } from '../../../src/logstore/logs/log-search.ts';

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const STREAM = '0123456789abcdef0123456789abcdef';

describe('a cursor', () => {
  test('is decoded unchanged, and fits into a request', () => {
    const cursors = fc.record({
      timeUnixMicro: fc.maxSafeNat(),
      stream: fc.stringMatching(/^[0-9a-f]{32}$/),
      position: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(cursors, (cursor) => {
        const text = encodeCursor(cursor);
        expect(searchRequest.parse({ cursor: text }).cursor).toBe(text);
        expect(decodeCursor(text)).toEqual(cursor);
      }),
    );
  });

  test.each([
    '',
    'null',
    'not base64!',
    encoded(null),
    encoded({}),
    encoded([]),
    encoded([1, STREAM]),
    encoded([1, STREAM, 1, 1]),
    encoded([-1, STREAM, 1]),
    encoded([1, STREAM, -1]),
    encoded([1.5, STREAM, 1]),
    encoded([1e300, STREAM, 1]),
    encoded(['1', STREAM, 1]),
    encoded([1, STREAM.toUpperCase(), 1]),
    encoded([1, `${STREAM}'`, 1]),
    encoded([1, `${STREAM}\n`, 1]),
    encoded([1, STREAM, null]),
    Buffer.from('[1,').toString('base64url'),
    Buffer.from([0xff, 0xfe, 0]).toString('base64url'),
  ])('is rejected if it is not one of ours: %s', (text) => {
    expect(() => decodeCursor(text)).toThrow(CursorError);
  });

  test('of any text is rejected or parsed', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (text) => {
          try {
            decodeCursor(text);
          } catch (error) {
            expect(error).toBeInstanceOf(CursorError);
          }
        },
      ),
    );
  });
});
