import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { json } from '../../src/formats/json.ts';
import {
  EARLIER_VALUES,
  INVALID_UTF8,
  LENIENT_JSON,
  PARSE_ERROR,
} from '../../src/formats/marker-attributes.ts';
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

  test('uses the next key if the first cannot be parsed', () => {
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

test('uses the record as body if there is no message', () => {
  expect(parse('{"a":1}\r\n').body).toBe('{"a":1}');
});

describe('numbers', () => {
  test('converts integers that a double cannot represent to strings', () => {
    expect(
      attributesOf('{"id":12345678901234567890,"deep":[{"id":-9007199254740993}],"text":"9007199254740993"}'),
    ).toEqual({ id: '12345678901234567890', deep: [{ id: '-9007199254740993' }], text: '9007199254740993' });
  });

  test('keeps numbers that a double can represent', () => {
    expect(
      attributesOf(
        '{"a":9007199254740992,"b":9007199254740991,"c":0.12345678901234568,"d":1e100,"e":0.30000000000000004,"f":-1.50000000000000000000,"g":5e-324,"h":1e-400}',
      ),
    ).toEqual({
      a: 9007199254740992,
      b: 9007199254740991,
      c: 0.12345678901234568,
      d: 1e100,
      e: 0.30000000000000004,
      f: -1.5,
      g: 5e-324,
      h: '1e-400',
    });
  });

  test('converts decimals that exceed the precision of a double to strings', () => {
    expect(attributesOf('{"amount":1234567890123456.78,"list":[0.1234567890123456789]}')).toEqual({
      amount: '1234567890123456.78',
      list: ['0.1234567890123456789'],
    });
  });

  test('converts numbers that would be infinite to strings', () => {
    expect(attributesOf('{"a":1e999}')).toEqual({ a: '1e999' });
  });

  test('does not change strings', () => {
    const object = { 'a"12345678901234567890': '\\"12345678901234567890 1e999', b: 1 };
    expect(attributesOf(JSON.stringify(object))).toEqual(object);
  });
});

describe('records that are read as plain, and marked', () => {
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

test('treats keys that are special in JavaScript like any other key', () => {
  const parsed = parse('{"__proto__":{"admin":true},"constructor":1,"nested":{"__proto__":{"admin":true}}}');
  expect(parsed.attributes.get('__proto__')).toEqual({ admin: true });
  expect('admin' in {}).toBe(false);
  expect('admin' in (parsed.attributes.get('nested') as object)).toBe(false);
});

test('bytes that are not UTF-8 are marked', () => {
  const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff), Buffer.from('"}')]);
  expect(Object.fromEntries(json.parse(bytes).attributes)).toEqual({ a: '\ufffd', [INVALID_UTF8]: true });
});

test('encodes any object without a change', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const key = fc.string().map((text) => `k${text}`);
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 8 }), (object) => {
      const expected = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
      expect(attributesOf(JSON.stringify(object))).toEqual(expected);
    }),
  );
});

describe('level numbers of families of loggers', () => {
  test.each([
    ['Python, by its key', '{"levelno":20,"msg":"a"}', SEVERITY.info],
    ['Python, by a companion', '{"level":50,"lineno":7}', SEVERITY.critical],
    ['Python, by a time as text', '{"time":"2026-03-05T10:00:04Z","level":20,"msg":"a"}', SEVERITY.info],
    ['bunyan', '{"v":0,"time":"2026-03-05T10:00:04Z","level":20,"hostname":"h","pid":1}', SEVERITY.debug],
    ['pino', '{"level":60,"time":1700000000000,"pid":1}', SEVERITY.fatal],
    ['.NET, by its key', '{"LogLevel":4,"Message":"a"}', SEVERITY.error],
    ['.NET, by a companion', '{"Level":2,"EventId":7}', SEVERITY.info],
    ['.NET, none', '{"LogLevel":6}', undefined],
    ['GELF', '{"version":"1.1","short_message":"a","level":4}', SEVERITY.warn],
    ['journald', '{"PRIORITY":"6","MESSAGE":"a"}', SEVERITY.info],
  ])('%s', (_, record, severity) => {
    expect(parse(record).severityNumber).toBe(severity);
  });
});

test.each([
  ['INFO+2', 11],
  ['DEBUG-4', 1],
  ['DEBUG-40', 1],
  ['WARN+1', 14],
  ['ERROR+40', 24],
  ['dpanic', SEVERITY.fatal],
  ['I', SEVERITY.info],
  ['W', SEVERITY.warn],
  ['E', SEVERITY.error],
  ['F', SEVERITY.fatal],
  ['V', SEVERITY.trace],
  ['Critical', SEVERITY.critical],
  ['None', undefined],
  ['info+', undefined],
])('level name %s', (level, severity) => {
  const parsed = parse(JSON.stringify({ level }));
  expect(parsed.severityNumber).toBe(severity);
  expect(parsed.severityText ?? parsed.attributes.get('level')).toBe(level);
});

describe('a duration with the name of a time', () => {
  test.each(['215034567', '0.123', '"1532.5ms"', '1500000000'])('%s stays an attribute', (time) => {
    const parsed = parse(`{"time":${time},"timestamp":"2023-11-14T22:13:20Z"}`);
    expect(parsed.timeUnixNano).toBe(NOVEMBER);
    expect(parsed.attributes.get('time')).toEqual(JSON.parse(time));
  });

  test('is not a time if no other key has one', () => {
    expect(parse('{"time":215034567}').timeUnixNano).toBeUndefined();
  });
});

describe('equal keys', () => {
  test.each([
    ['{"user":"first","user":"second","n":1}', { user: 'second', n: 1 }, { user: ['first'] }],
    ['{"a" : 1, "a"\t:\t{"b":[1,"x\\":"]}, "a":3}', { a: 3 }, { a: [1, { b: [1, 'x":'] }] }],
    [
      '{"o":{"a":1,"a":2},"l":[{"b":"1","b":null}]}',
      { o: { a: 2 }, l: [{ b: null }] },
      { 'o.a': [1], 'l.b': ['1'] },
    ],
    ['{"n":12345678901234567890,"n":1}', { n: 1 }, { n: ['12345678901234567890'] }],
  ])('keeps the earlier values besides the last one: %s', (record, attributes, earlier) => {
    expect(attributesOf(record)).toEqual({ ...attributes, [EARLIER_VALUES]: earlier });
  });

  test('are not found where there are none', () => {
    expect(attributesOf('{"a":"\\"b\\":1","c" : {"a":1},"d":[{"e":1},{"e":2}]}')).toEqual({
      a: '"b":1',
      c: { a: 1 },
      d: [{ e: 1 }, { e: 2 }],
    });
  });

  test('need linear time for thousands of them', () => {
    const record = `{${Array.from({ length: 100_000 }, () => '"a":1').join()}}`;
    expect((attributesOf(record)[EARLIER_VALUES] as { a: number[] }).a).toHaveLength(99_999);
  });
});

describe('lenient JSON is read and marked', () => {
  test.each([
    ['{"v":NaN,"w":[-Infinity,Infinity],"s":"NaN"}', { v: 'NaN', w: ['-Infinity', 'Infinity'], s: 'NaN' }],
    ['{"agent":"a\\x22b\\xc3\\xa9\\n\\\\x22"}', { agent: 'a"b\u00e9\n\\x22' }],
  ])('%s', (record, attributes) => {
    expect(attributesOf(record)).toEqual({ ...attributes, [LENIENT_JSON]: true });
  });

  test('but not text that only resembles it', () => {
    expect(parse('{"v":NaNo}').attributes.has(PARSE_ERROR)).toBe(true);
  });
});

test('removes a byte order mark from the record', () => {
  const parsed = parse('\ufeff{"time":1700000000,"msg":"first"}\n');
  expect(parsed).toMatchObject({ timeUnixNano: NOVEMBER, body: 'first' });
});
