import { hostname } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GelfEncoder, type GelfEncoderOptions } from '../../../src/protocols/gelf/gelf-encoder.ts';
import type { GelfMessage } from '../../../src/protocols/gelf/gelf-message.ts';
import { indexedByGraylog, type Json, parseMessage } from '../../support/gelf-decoder.ts';

function encode(message: GelfMessage, options: GelfEncoderOptions = {}, maxBytes = 1_000_000): Json {
  const encoded = new GelfEncoder({ host: 'h', now: () => 5_500, ...options }).encode(message, maxBytes);
  if (encoded === undefined) throw new Error('does not fit');
  expect(encoded.json.length).toBeLessThanOrEqual(maxBytes);
  return parseMessage(encoded.json);
}

function fieldsOf(fields: Record<string, unknown>, options: GelfEncoderOptions = {}): Json {
  const message = encode({ shortMessage: 'x', fields }, options);
  return Object.fromEntries(Object.entries(message).filter(([name]) => name.startsWith('_')));
}

describe('the message of GELF 1.1', () => {
  it('equals the known example', () => {
    const { json } = new GelfEncoder().encode(
      {
        host: 'example.org',
        shortMessage: 'hi',
        timestamp: 1385053862.3072,
        fields: { some_info: 'foo' },
      },
      1000,
    ) as { json: Buffer };
    expect(json.toString()).toBe(
      '{"version":"1.1","host":"example.org","short_message":"hi","timestamp":1385053862.3072,"level":6,"_some_info":"foo"}',
    );
    expect(json.length).toBe(116);
  });

  it('fills in host, time and level', () => {
    expect(encode({ shortMessage: 'x' })).toEqual({
      version: '1.1',
      host: 'h',
      short_message: 'x',
      timestamp: 5.5,
      level: 6,
    });
    const here = new GelfEncoder().encode({ shortMessage: 'x' }, 1000);
    expect(JSON.parse(String(here?.json)).host).toBe(hostname());
  });

  it.each(['', ' \n\t'])('replaces a blank short message (%j)', (shortMessage) => {
    expect(encode({ shortMessage }).short_message).toBe('(empty)');
  });

  it('replaces a blank host, leaves out an empty full message', () => {
    const message = encode({ shortMessage: 'x', host: '  ', fullMessage: '' });
    expect(message.host).toBe('h');
    expect(message).not.toHaveProperty('full_message');
  });

  it('writes level 0, which omit-if-zero encoders lose', () => {
    expect(encode({ shortMessage: 'x', level: 0 }).level).toBe(0);
    expect(encode({ shortMessage: 'x', level: 'emergency' }).level).toBe(0);
  });

  it.each([8, -1, 1.5, Number.NaN, 'loud'])('uses the default for an invalid level (%s)', (level) => {
    const encoder = new GelfEncoder({ host: 'h', level: 4 });
    const encoded = encoder.encode({ shortMessage: 'x', level: level as number }, 1000);
    expect(encoded?.unknownLevel).toBe(true);
    expect(JSON.parse(String(encoded?.json)).level).toBe(4);
  });

  it.each([
    [new Date(1_500), 1.5],
    [1_700_000_000.123_456, 1_700_000_000.123_456],
    [1_700_000_000_123, 1_700_000_000.123],
    [0, 5.5],
    [-4, 5.5],
    [Number.NaN, 5.5],
    [new Date(Number.NaN), 5.5],
  ])('sends the time %s as %d seconds', (timestamp, seconds) => {
    expect(encode({ shortMessage: 'x', timestamp }).timestamp).toBe(seconds);
  });

  it('escapes bytes that would end a frame', () => {
    const encoded = new GelfEncoder().encode({ shortMessage: 'a\0b\nc', fullMessage: 'lone \ud800' }, 1000);
    expect(encoded?.json.includes(0x00)).toBe(false);
    expect(encoded?.json.includes(0x0a)).toBe(false);
    expect(parseMessage(encoded?.json as Buffer).short_message).toBe('a\0b\nc');
  });
});

describe('additional fields', () => {
  it('get exactly one underscore', () => {
    expect(fieldsOf({ a: 1, _b: 2, __c: 3 })).toEqual({ _a: 1, _b: 2, _c: 3 });
  });

  it('get legal names, which are spelled out if nothing legal is left; without a name they are left out', () => {
    expect(fieldsOf({ 'a b': 1, 'ö@': 2, '': 3, _: 4, 'x.y-z': 5, '//': 6 })).toEqual({
      _a_b: 1,
      _u00f6_u0040: 2,
      _u005f: 4,
      '_x.y-z': 5,
      _u002f_u002f: 6,
    });
  });

  it('avoid the reserved names of the receiver', () => {
    const fields = {
      id: 1,
      _id: 2,
      host: 3,
      level: 4,
      source: 5,
      message: 6,
      timestamp: 7,
      gl2_x: 8,
      streams: 9,
    };
    const sent = fieldsOf(fields);
    expect(sent).not.toHaveProperty('_id');
    expect(sent).toMatchObject({ _id_: 1, _id__2: 2, _host_: 3, _level_: 4, _user_gl2_x: 8 });
    expect(indexedByGraylog(sent).size).toBe(9);
  });

  it('number duplicates, and count a dot as the underscore that it becomes', () => {
    expect(fieldsOf({ a: 1, _a: 2, __a: 3 })).toEqual({ _a: 1, _a_2: 2, _a_3: 3 });
    expect(fieldsOf({ 'a.b': 1, a_b: 2 })).toEqual({ '_a.b': 1, _a_b_2: 2 });
  });

  it('send booleans in a form that Graylog keeps', () => {
    expect(fieldsOf({ yes: true, no: false })).toEqual({ _yes: 'true', _no: 'false' });
    expect(fieldsOf({ yes: true, no: false }, { booleans: 'number' })).toEqual({ _yes: 1, _no: 0 });
  });

  it('leave out values that JSON cannot represent', () => {
    const nothing = {
      a: undefined,
      b: null,
      c: Number.NaN,
      d: Number.POSITIVE_INFINITY,
      e: () => 1,
      f: Symbol('s'),
    };
    expect(fieldsOf({ ...nothing, g: new Date(Number.NaN) })).toEqual({});
  });

  it('represent dates, big integers and errors', () => {
    const sent = fieldsOf({ at: new Date(0), small: 5n, big: 2n ** 64n, error: new Error('boom') });
    expect(sent).toMatchObject({ _at: '1970-01-01T00:00:00.000Z', _small: 5, _big: '18446744073709551616' });
    expect(sent._error).toContain('Error: boom');
  });

  it('flatten objects to a depth of 5, then write JSON', () => {
    const deep = { a: { b: { c: { d: { e: { f: { g: 1 } } } } } }, list: [1, { x: 2 }], empty: {} };
    expect(fieldsOf({ o: deep })).toEqual({
      '_o.a.b.c.d.e': '{"f":{"g":1}}',
      '_o.list': '[1,{"x":2}]',
    });
    expect(fieldsOf({ o: { a: 1 } }, { objects: 'json' })).toEqual({ _o: '{"a":1}' });
  });

  it('survive cycles', () => {
    const cycle: Record<string, unknown> = { n: 1 };
    cycle.self = cycle;
    expect(fieldsOf({ cycle })['_cycle.n']).toBe(1);
    const maze: Record<string, unknown> = {};
    for (let i = 0; i < 100; i++) maze[`way ${i}`] = maze;
    expect(fieldsOf({ maze })._cut_fields).toBeGreaterThan(0);
  });

  it('are cut if they are too long for the index', () => {
    const encoded = new GelfEncoder().encode(
      { shortMessage: 'x', fields: { a: 'é'.repeat(40_000) } },
      1_000_000,
    );
    const value = (JSON.parse(String(encoded?.json)) as { _a: string })._a;
    expect(Buffer.byteLength(value)).toBeLessThanOrEqual(32_766);
    expect(value).toMatch(/é \[cut: (\d+) bytes missing\]$/);
    expect(encoded?.cutBytes).toBe(Number(/cut: (\d+)/.exec(value)?.[1]));
  });

  it('are numbered fast if thousands have the same name', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `a${String.fromCodePoint(0x4e00 + i)}`);
    const sent = fieldsOf(Object.fromEntries(names.map((name, i) => [name, i])));
    expect(Object.keys(sent)).toHaveLength(4_097);
    expect(sent).toMatchObject({ _a_: 0, _a__2: 1, _a__4096: 4_095, _cut_fields: 15_904 });
  });

  it('are all in the index, for any names', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())), (fields) => {
        const named = Object.keys(fields).filter((name) => /[A-Za-z0-9.-]/.test(name.replace(/^_+/, '')));
        const sent = encode({ shortMessage: 'x', fields });
        expect(indexedByGraylog(sent).size).toBeGreaterThanOrEqual(named.length);
      }),
    );
  });
});

describe('a message that is too long', () => {
  const long = 'é"\n'.repeat(5_000);

  it('cuts its full message first', () => {
    const message = encode({ shortMessage: 'short', fullMessage: long, fields: { a: 'kept' } }, {}, 2_000);
    expect(message).toMatchObject({ short_message: 'short', _a: 'kept' });
    expect(message.full_message).toMatch(/bytes missing\]$/);
  });

  it('then its longest fields, then its short message', () => {
    const fields = { small: 'kept', big: long, bigger: long + long };
    const message = encode({ shortMessage: long, fullMessage: long, fields }, {}, 16_000);
    expect(message._small).toBe('kept');
    expect(message._bigger).toMatch(/bytes missing\]$/);
    expect(encode({ shortMessage: long }, {}, 1_000).short_message).toMatch(/bytes missing\]$/);
  });

  it('then leaves out fields from the last', () => {
    const fields = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`field_${i}`, i]));
    const message = encode({ shortMessage: 'x', fields }, {}, 1_000);
    expect(message).toHaveProperty('_field_0');
    expect(message).not.toHaveProperty('_field_999');
    const kept = Object.keys(message).filter((name) => name.startsWith('_field_')).length;
    expect(message._cut_fields).toBe(1_000 - kept);
  });

  it('is discarded if not even the bare message fits', () => {
    expect(new GelfEncoder({ host: 'h' }).encode({ shortMessage: 'x' }, 20)).toBeUndefined();
  });

  it('always fits and always parses', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3_000 });
    const message = fc.record({
      shortMessage: text,
      fullMessage: text,
      fields: fc.dictionary(fc.string(), text, { maxKeys: 5 }),
    });
    fc.assert(
      fc.property(message, fc.integer({ min: 800, max: 8_000 }), (given, maxBytes) => {
        encode(given, {}, maxBytes);
      }),
    );
  });
});

it.each(['\u001c', '\u001e\u001d', ' \u001f\n', ''])(
  'sends a text that Java takes for blank as (empty): %j',
  (text) => {
    const encoded = new GelfEncoder().encode({ shortMessage: text }, 10_000);
    expect(JSON.parse(String(encoded?.json))).toMatchObject({ short_message: '(empty)' });
  },
);
