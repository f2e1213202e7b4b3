import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonText } from '../../../src/emitters/clickhouse/json-text.ts';

test('writes integers beyond 64 bits with a fraction, and changes no text', () => {
  expect(jsonText('{"a":123456789012345680000,"b":[-1234567890123456800,1]}')).toBe(
    '{"a":123456789012345680000.0,"b":[-1234567890123456800.0,1]}',
  );
  const text = '{"12345678901234567890":"a \\" 12345678901234567890, \\\\","b":1.2345678901234567890123e+22}';
  expect(jsonText(text)).toBe(text);
});

test('keeps the value of any JSON', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer().map((n) => n * 1e11),
  );
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      number,
      fc.string(),
      fc.stringMatching(/^[\\"0-9:,]{0,40}$/),
      fc.array(tie('any'), { maxLength: 3 }),
    ),
  })).any;
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), (object) => {
      const json = JSON.stringify(object);
      expect(JSON.stringify(JSON.parse(jsonText(json)))).toBe(JSON.stringify(JSON.parse(json)));
      expect(jsonText(json)).not.toMatch(/^\{"a":-?\d{19,}\}$/);
    }),
    { numRuns: 500 },
  );
});
