import { describe, expect, test } from 'vitest';
import { jsonValues } from '../../../src/protocols/http-push/json-values.ts';

const texts = (text: string) => jsonValues(Buffer.from(text)).map(String);

describe('jsonValues', () => {
  test.each([
    ['objects without white space between them', '{"a":1}{"b":2}', ['{"a":1}', '{"b":2}']],
    ['objects on lines', '{"a":1}\n{"b":2}\r\n', ['{"a":1}', '{"b":2}']],
    [
      'the elements of an array as they are',
      '[ {"a" : 1.0} , "x,]" ,3, null]',
      ['{"a" : 1.0}', '"x,]"', '3', 'null'],
    ],
    ['an empty array', ' [ ] ', []],
    ['nothing', ' \n', []],
    [
      'braces and quotes in texts',
      String.raw`{"a":"}\"\\"}{"b":"{"}`,
      [String.raw`{"a":"}\"\\"}`, '{"b":"{"}'],
    ],
    ['nested values', '{"a":[{"b":[1]}]}', ['{"a":[{"b":[1]}]}']],
  ])('splits %s', (_, text, values) => {
    expect(texts(text)).toEqual(values);
  });

  test.each([
    ['a truncated object', '{"a":1'],
    ['a truncated text', '{"a":"\\"'],
    ['a wrong bracket', '{"a":[1}'],
    ['a missing comma', '[1 2]'],
    ['a missing element', '[1,]'],
    ['plain text', 'hello'],
    ['text after an object', '{"a":1} hello'],
    ['deep nesting', '['.repeat(100_000)],
  ])('rejects %s', (_, text) => {
    expect(() => texts(text)).toThrow(/JSON/);
  });
});
