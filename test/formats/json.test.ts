import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { json } from '../../src/formats/json.ts';
import { INVALID_UTF8, PARSE_ERROR } from '../../src/formats/marker-attributes.ts';
import { SEVERITY } from '../../src/formats/severity.ts';
import type { ParsedRecord } from '../../src/records/log-record.ts';

const parse = (text: string): ParsedRecord => json.parse(Buffer.from(text));
const attributesOf = (text: string) => Object.fromEntries(parse(text).attributes);
const NOVEMBER = 1_700_000_000_000_000_000n;

test('pino', () => {
  expect(parse('{"level":30,"time":1700000000000,"pid":1,"msg":"hello"}\n')).toEqual({
    timeUnixNano: NOVEMBER,
    severityNumber: SEVERITY.info,
    severityText: '30',
    body: 'hello',
    attributes: new Map([['pid', 1]]),
  });
});

test("Docker's json-file", () => {
  expect(parse('{"log":"hello\\n","stream":"stdout","time":"2023-11-14T22:13:20.123456789Z"}\n')).toEqual({
    timeUnixNano: NOVEMBER + 123_456_789n,
    body: 'hello\n',
    attributes: new Map([['stream', 'stdout']]),
  });
});

describe('time', () => {
  test.each([
    ['"2023-11-14T22:13:20Z"', NOVEMBER],
    ['"2023-11-14 23:13:20,5+01:00"', NOVEMBER + 500_000_000n],
    ['1700000000', NOVEMBER],
    ['1700000000.25', NOVEMBER + 250_000_000n],
    ['1700000000123', NOVEMBER + 123_000_000n],
    ['1700000000123456', NOVEMBER + 123_456_000n],
    ['1700000000123456789', NOVEMBER + 123_456_789n],
    ['"1700000000123456789"', NOVEMBER + 123_456_789n],
  ])('%s', (time, expected) => {
    const parsed = parse(`{"time":${time}}`);
    expect(parsed.timeUnixNano).toBe(expected);
    expect(parsed.attributes.size).toBe(0);
  });

  test.each(['"2023-11-14T22:13:20"', '"yesterday"', '12', 'true', '"2023-02-30T00:00:00Z"', '1e400'])(
    '%s is no moment and stays an attribute',
    (time) => {
      const parsed = parse(`{"time":${time}}`);
      expect(parsed.timeUnixNano).toBeUndefined();
      expect(parsed.attributes.has('time')).toBe(true);
    },
  );

  test('the next key counts when the first cannot be read', () => {
    const parsed = parse('{"time":"12:00","ts":1700000000}');
    expect(parsed.timeUnixNano).toBe(NOVEMBER);
    expect(Object.fromEntries(parsed.attributes)).toEqual({ time: '12:00' });
  });
});

test.each([
  ['"info"', SEVERITY.info],
  ['"WARNING"', SEVERITY.warn],
  ['"crit"', SEVERITY.critical],
  ['50', SEVERITY.error],
  ['3', SEVERITY.error],
  ['"purple"', undefined],
  ['100', undefined],
  ['-10', undefined],
])('level %s', (level, severity) => {
  expect(parse(`{"level":${level}}`).severityNumber).toBe(severity);
});

test('without a message the body is the record', () => {
  expect(parse('{"a":1}\r\n').body).toBe('{"a":1}');
});

describe('numbers', () => {
  test('whole ones that a double cannot hold become strings of the same digits', () => {
    expect(
      attributesOf('{"id":12345678901234567890,"deep":[{"id":-9007199254740993}],"text":"9007199254740993"}'),
    ).toEqual({ id: '12345678901234567890', deep: [{ id: '-9007199254740993' }], text: '9007199254740993' });
  });

  test('those a double can hold stay numbers', () => {
    expect(
      attributesOf('{"a":9007199254740992,"b":9007199254740991,"c":0.1234567890123456789,"d":1e100}'),
    ).toEqual({
      a: 9007199254740992,
      b: 9007199254740991,
      c: 0.12345678901234568,
      d: 1e100,
    });
  });

  test('those too large to be finite become strings', () => {
    expect(attributesOf('{"a":1e999}')).toEqual({ a: '1e999' });
  });

  test('strings are left alone, whatever is in them', () => {
    const object = { 'a"12345678901234567890': '\\"12345678901234567890 1e999', b: 1 };
    expect(attributesOf(JSON.stringify(object))).toEqual(object);
  });
});

describe('what is read as plain, marked', () => {
  test.each([
    ['hello', /not valid JSON/],
    ['', /not valid JSON/],
    ['{"a":', /not valid JSON/],
    ['[1]', /not a JSON object/],
    ['null', /not a JSON object/],
    ['"text"', /not a JSON object/],
    [`{"a":${'['.repeat(40)}${']'.repeat(40)}}`, /nested deeper/],
    [`{${Array.from({ length: 1001 }, (_, index) => `"k${index}":1`).join()}}`, /1000 keys/],
    [`{"a":"${'x'.repeat(1_100_000)}"}`, /longer/],
  ])('%.40s', (record, reason) => {
    const parsed = parse(`${record}\n`);
    expect(parsed.body).toBe(record);
    expect(parsed.attributes.get(PARSE_ERROR)).toMatch(reason);
  });
});

test('keys that mean something to the language mean nothing here', () => {
  const parsed = parse('{"__proto__":{"admin":true},"constructor":1,"nested":{"__proto__":{"admin":true}}}');
  expect(parsed.attributes.get('__proto__')).toEqual({ admin: true });
  expect('admin' in {}).toBe(false);
  expect('admin' in (parsed.attributes.get('nested') as object)).toBe(false);
});

test('bytes that are not UTF-8 are marked', () => {
  const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')]);
  expect(Object.fromEntries(json.parse(bytes).attributes)).toEqual({ a: '\ufffd', [INVALID_UTF8]: true });
});

test('any object comes out as it went in', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const key = fc.string().map((text) => `k${text}`);
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 8 }), (object) => {
      const expected = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
      expect(attributesOf(JSON.stringify(object))).toEqual(expected);
    }),
  );
});
