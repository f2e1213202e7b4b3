import { describe, expect, it } from 'vitest';
import { newsSince, parseWatermark } from '../../src/monitoring/watermark.ts';

describe('parseWatermark', () => {
  it('parses what is written', () => {
    const watermark = { flushes: { a: 3 }, since: 10, until: 20 };
    expect(parseWatermark(JSON.stringify(watermark))).toEqual(watermark);
  });

  it.each([null, '', '{', '[]', '{"flushes":{"a":"3"},"since":1,"until":2}'])('takes %j for none', (text) => {
    expect(parseWatermark(text)).toBeUndefined();
  });
});

it('newsSince returns the writers with new flushes and their ranges', () => {
  const now = { a: 5, b: 7, c: 1, constructor: 2 };
  expect(newsSince({ a: 5, b: 6, gone: 9 }, now)).toEqual([
    { writer: 'b', after: 6, last: 7 },
    { writer: 'c', after: 0, last: 1 },
    { writer: 'constructor', after: 0, last: 2 },
  ]);
});
