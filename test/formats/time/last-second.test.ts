import { describe, expect, it } from 'vitest';
import { ByteCursor } from '../../../src/formats/byte-cursor.ts';
import { readTimestamp } from '../../../src/formats/time/timestamp.ts';

function read(text: string) {
  const bytes = Buffer.from(text);
  const cursor = new ByteCursor(bytes, 0, bytes.length);
  const time = readTimestamp(cursor);
  return { time, rest: text.slice(cursor.at) };
}

/** The same second in another notation comes between, so that the text is not the last one. */
function readAnew(text: string) {
  read('2001-01-01T00:00:00Z');
  read('Jan  1 00:00:00 h');
  return read(text);
}

const TEXTS = [
  '2026-11-28T10:00:00.123456Z web1',
  '2026-11-28T10:00:00+01:00 web1',
  '2026-11-28T10:00:001 web1',
  '2026-11-28T10:00:0',
  '2026-11-28 10:00:00,5 web1',
  'Oct 11 22:14:15 host',
  'Oct 11 22:14:15 2003 host',
  'Oct 11 22:14:15.123 EST: host',
  'Oct 11 22:14:15 2003: host',
  'Oct 11 22:14:150 host',
  'Oct  1 2:14:15 host',
  'Oct 11 2003 22:14:15 host',
  '2025 Jun 25 11:27:28 GMT: x',
  '*Oct 11 22:14:15 host',
];

describe('LastSecond', () => {
  it('reads a time after any other time as it reads it alone', () => {
    for (const before of TEXTS)
      for (const text of TEXTS) {
        const alone = readAnew(text);
        read(before);
        expect(read(text), `${text} after ${before}`).toEqual(alone);
        expect(read(text), `${text} again`).toEqual(alone);
      }
  });
});
