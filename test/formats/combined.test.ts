import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACCESS_LOG_ALIASES } from '../../src/formats/access-log-aliases.ts';
import { combined } from '../../src/formats/combined.ts';
import { INVALID_UTF8, PARSE_ERROR, TIME_RAW, UNPARSED } from '../../src/formats/marker-attributes.ts';
import { SEVERITY } from '../../src/formats/severity.ts';
import type { ParsedRecord } from '../../src/records/log-record.ts';

const TIME = '[10/Oct/2000:13:55:36 -0700]';

function parse(line: string | Uint8Array): ParsedRecord {
  return combined.parse(Buffer.from(line as string));
}

function attributesOf(line: string): Record<string, unknown> {
  return Object.fromEntries(parse(line).attributes);
}

describe('the formats', () => {
  test('Combined Log Format', () => {
    const line = `127.0.0.1 - frank ${TIME} "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"`;
    const parsed = parse(`${line}\n`);
    expect(parsed.timeUnixNano).toBe(BigInt(Date.UTC(2000, 9, 10, 20, 55, 36)) * 1_000_000n);
    expect(parsed.severityNumber).toBe(SEVERITY.info);
    expect(parsed.body).toBe(line);
    expect(Object.fromEntries(parsed.attributes)).toEqual({
      'client.address': '127.0.0.1',
      'user.name': 'frank',
      'http.request.method': 'GET',
      'url.path': '/apache_pb.gif',
      'network.protocol.version': '1.0',
      'http.response.status_code': 200,
      'http.response.body.size': 2326,
      'http.request.header.referer': 'http://www.example.com/start.html',
      'user_agent.original': 'Mozilla/4.08 [en] (Win98; I ;Nav)',
    });
  });

  test('Common Log Format, with a query and Windows line end', () => {
    const parsed = parse(`h id - ${TIME} "POST /a/b?c=d?e HTTP/1.1" 503 -\r\n`);
    expect(parsed.severityNumber).toBe(SEVERITY.error);
    expect(Object.fromEntries(parsed.attributes)).toEqual({
      'client.address': 'h',
      'megacollector.ident': 'id',
      'http.request.method': 'POST',
      'url.path': '/a/b',
      'url.query': 'c=d?e',
      'network.protocol.version': '1.1',
      'http.response.status_code': 503,
    });
  });

  test('keeps the text after the known fields', () => {
    expect(attributesOf(`h - - ${TIME} "GET / HTTP/1.1" 200 1 "r" "u" "10.0.0.1" 0.123`)).toMatchObject({
      'user_agent.original': 'u',
      [UNPARSED]: '"10.0.0.1" 0.123',
    });
    expect(attributesOf(`h - - ${TIME} "GET / HTTP/1.1" 200 1 0.5`)).toMatchObject({ [UNPARSED]: '0.5' });
  });
});

describe('fields', () => {
  test.each([
    ['IPv6', '2001:db8::1', '2001:db8::1'],
    ['a host name', 'client.example.com', 'client.example.com'],
  ])('a client by %s', (_, host, expected) => {
    expect(attributesOf(`${host} - - ${TIME} "GET / HTTP/1.1" 200 1`)).toMatchObject({
      'client.address': expected,
    });
  });

  test.each([
    ['with blanks', 'Jane  van Doe'],
    ['with brackets', 'a [b] c'],
    ['that looks like a time', 'x [10/Oct/2000:13:55:36 -0700]'],
    ['that looks like a time and an escaped request', 'x [10/Oct/2000:13:55:36 -0700] \\"GET'],
  ])('a user name %s', (_, user) => {
    expect(attributesOf(`h - ${user} ${TIME} "GET / HTTP/1.1" 200 1`)).toMatchObject({
      'user.name': user,
      'http.request.method': 'GET',
    });
  });

  test('parses a referer that looks like the middle of a line', () => {
    expect(attributesOf(`h - - ${TIME} "GET /real HTTP/1.1" 200 1 "x ${TIME} " "u"`)).toMatchObject({
      'url.path': '/real',
      'http.request.header.referer': `x ${TIME} `,
    });
  });

  test.each([
    ['\\"', '"'],
    ['\\\\', '\\'],
    ['\\n\\t', '\n\t'],
    ['\\x41', 'A'],
    ['\\xc3\\xa9', '\u00e9'],
    ['\\q', '\\q'],
    ['\\x4z', '\\x4z'],
  ])('escape %s', (escaped, character) => {
    expect(attributesOf(`h - - ${TIME} "GET / HTTP/1.1" 200 1 "r" "a${escaped}b"`)).toMatchObject({
      'user_agent.original': `a${character}b`,
    });
  });

  test('marks an escaped byte that is not UTF-8', () => {
    expect(attributesOf(`h - - ${TIME} "GET / HTTP/1.1" 200 1 "r" "a\\xffb"`)).toMatchObject({
      'user_agent.original': 'a\ufffdb',
      [INVALID_UTF8]: true,
    });
  });

  test('a quote that the server did not escape', () => {
    expect(attributesOf(`h - - ${TIME} "GET /a"b HTTP/1.0" 200 1`)).toMatchObject({ 'url.path': '/a"b' });
  });

  test('keeps the digits of a size that is too large for a number', () => {
    expect(attributesOf(`h - - ${TIME} "GET / HTTP/1.1" 200 99999999999999999999`)).toMatchObject({
      'http.response.body.size': '99999999999999999999',
    });
  });

  test.each([
    [200, SEVERITY.info],
    [304, SEVERITY.info],
    [404, SEVERITY.warn],
    [500, SEVERITY.error],
  ])('status %i', (status, severity) => {
    expect(parse(`h - - ${TIME} "GET / HTTP/1.1" ${status} 1`).severityNumber).toBe(severity);
  });
});

describe('requests', () => {
  test('none at all', () => {
    const attributes = attributesOf(`h - - ${TIME} "-" 408 -`);
    expect(attributes).toEqual({ 'client.address': 'h', 'http.response.status_code': 408 });
  });

  test.each([
    ['a TLS greeting', '\\x16\\x03\\x01\\x02', '\u0016\u0003\u0001\u0002'],
    ['a word', 'quit', 'quit'],
    ['no target', 'GET ', 'GET '],
  ])('%s', (_, request, raw) => {
    const attributes = attributesOf(`h - - ${TIME} "${request}" 400 226`);
    expect(attributes).not.toHaveProperty('http.request.method');
    expect(attributes).toMatchObject({ 'megacollector.request_raw': raw, 'http.response.status_code': 400 });
  });

  test('no protocol', () => {
    const attributes = attributesOf(`h - - ${TIME} "GET /old page" 200 1`);
    expect(attributes).toMatchObject({ 'http.request.method': 'GET', 'url.path': '/old page' });
    expect(attributes).not.toHaveProperty('network.protocol.version');
  });

  test.each([
    [
      'http://example.com/a?b',
      { 'url.original': 'http://example.com/a?b', 'url.path': '/a', 'url.query': 'b' },
    ],
    ['example.com:443', { 'url.original': 'example.com:443', 'url.path': 'example.com:443' }],
    ['*', { 'url.path': '*' }],
  ])('target %s', (target, expected) => {
    expect(attributesOf(`h - - ${TIME} "OPTIONS ${target} HTTP/2.0" 200 1`)).toMatchObject(expected);
  });
});

test.each([
  '',
  'hello',
  `h - - ${TIME}`,
  `h - - ${TIME} "GET / HTTP/1.1`,
  `h - - ${TIME} "GET / HTTP/1.1" abc 1`,
])('reads other text as plain: %s', (line) => {
  const parsed = parse(`${line}\n`);
  expect(parsed.body).toBe(line);
  expect(parsed.timeUnixNano).toBeUndefined();
  expect(parsed.attributes.get(PARSE_ERROR)).toMatch(/Common or Combined/);
});

test('parses lines to the fields that they were made of', () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 }).filter((each) => each !== '' && each !== '-');
  const word = fc.stringMatching(/^[a-zA-Z0-9.:]{1,20}$/);
  const user = fc.stringMatching(/^[a-zA-Z0-9@ ]{1,20}$/);
  const path = fc.stringMatching(/^\/[a-zA-Z0-9/%.]{0,20}$/);
  const instant = fc.integer({ min: 0, max: 4_000_000_000 });
  const fields = fc.record({
    word,
    user,
    path,
    instant,
    agent: text,
    referer: text,
    status: fc.integer({ min: 100, max: 599 }),
    size: fc.nat(),
  });
  fc.assert(
    fc.property(fields, (each) => {
      const line = `${each.word} - ${each.user} [${clf(each.instant)}] "GET ${each.path} HTTP/1.1" ${each.status} ${each.size} "${escaped(each.referer)}" "${escaped(each.agent)}"`;
      const { attributes, timeUnixNano } = parse(line);
      expect(timeUnixNano).toBe(BigInt(each.instant) * 1_000_000_000n);
      expect(Object.fromEntries(attributes)).toMatchObject({
        'client.address': each.word,
        'user.name': each.user,
        'url.path': each.path,
        'http.response.status_code': each.status,
        'http.response.body.size': each.size,
        'http.request.header.referer': each.referer,
        'user_agent.original': each.agent,
      });
    }),
  );
});

test('every alias names an attribute of the format', () => {
  const line = `h ident user ${TIME} "GET /a HTTP/1.0" 200 1`;
  const given = parse(line).attributes;
  for (const { attribute } of ACCESS_LOG_ALIASES) expect([...given.keys()]).toContain(attribute);
});

/** As Apache writes it. */
function clf(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  const [, day, month, year, time] = /, (\d\d) (\w{3}) (\d{4}) (\S+)/.exec(date.toUTCString()) ?? [];
  return `${day}/${month}/${year}:${time} +0000`;
}

function escaped(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
      return byte >= 0x20 && byte < 0x7f
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

describe('client and virtual host', () => {
  const REQUEST = `${TIME} "GET /a HTTP/1.1" 200 10 "-" "ua"`;
  test.each([
    [
      'name:443 192.0.2.10 - -',
      { 'server.address': 'name', 'server.port': 443, 'client.address': '192.0.2.10' },
    ],
    ['name 192.0.2.10 - -', { 'server.address': 'name', 'client.address': '192.0.2.10' }],
    [
      'name:80 client.example - Jane Doe',
      {
        'server.address': 'name',
        'server.port': 80,
        'client.address': 'client.example',
        'user.name': 'Jane Doe',
      },
    ],
    ['name client.example - -', { 'server.address': 'name', 'client.address': 'client.example' }],
    [
      '[2001:db8::1]:443 [2001:db8::2] - -',
      { 'server.address': '2001:db8::1', 'server.port': 443, 'client.address': '2001:db8::2' },
    ],
    [
      'name:80 2001:db8::2 - -',
      { 'server.address': 'name', 'server.port': 80, 'client.address': '2001:db8::2' },
    ],
    [
      'name:80 192.0.2.1, 192.0.2.2 - u',
      {
        'server.address': 'name',
        'server.port': 80,
        'client.address': '192.0.2.1',
        'user.name': 'u',
        'http.request.header.x-forwarded-for': '192.0.2.1, 192.0.2.2',
      },
    ],
    [
      '192.0.2.11, 198.51.100.4 - -',
      { 'client.address': '192.0.2.11', 'http.request.header.x-forwarded-for': '192.0.2.11, 198.51.100.4' },
    ],
    [
      '2001:db8::1,10.0.0.1,unknown - user',
      {
        'client.address': '2001:db8::1',
        'user.name': 'user',
        'http.request.header.x-forwarded-for': '2001:db8::1,10.0.0.1,unknown',
      },
    ],
    [
      'unknown, 198.51.100.4:4711 - -',
      {
        'client.address': '198.51.100.4',
        'client.port': 4711,
        'http.request.header.x-forwarded-for': 'unknown, 198.51.100.4:4711',
      },
    ],
    ['[2001:db8::2]:4711 - -', { 'client.address': '2001:db8::2', 'client.port': 4711 }],
    ['unknown - -', {}],
    ['- - -', {}],
    ['name:443 - - -', { 'server.address': 'name', 'server.port': 443 }],
    [
      '192.0.2.1 id Jane Doe',
      { 'client.address': '192.0.2.1', 'megacollector.ident': 'id', 'user.name': 'Jane Doe' },
    ],
  ])('%s', (origin, expected) => {
    const attributes = attributesOf(`${origin} ${REQUEST}`);
    const about = Object.entries(attributes).filter(([key]) =>
      /^(client|server|user|megacollector)\.|forwarded/.test(key),
    );
    expect(Object.fromEntries(about)).toEqual(expected);
  });
});

describe('a line that is unusual', () => {
  test.each([
    [
      'an empty user in quotes',
      `h - "" ${TIME} "GET /a HTTP/1.1" 200 0`,
      { 'client.address': 'h', 'http.response.body.size': 0 },
    ],
    ['no size', `h - u ${TIME} "GET /a HTTP/1.1" 200`, { 'client.address': 'h', 'user.name': 'u' }],
    [
      'a size of -1',
      `h - u ${TIME} "GET /a HTTP/1.1" 200 -1 "r" "u"`,
      {
        'client.address': 'h',
        'user.name': 'u',
        'http.request.header.referer': 'r',
        'user_agent.original': 'u',
      },
    ],
    [
      'no ident',
      `h u ${TIME} "GET /a HTTP/1.1" 200 1`,
      { 'client.address': 'h', 'user.name': 'u', 'http.response.body.size': 1 },
    ],
    [
      'neither ident nor user',
      `h ${TIME} "GET /a HTTP/1.1" 200 1`,
      { 'client.address': 'h', 'http.response.body.size': 1 },
    ],
  ])('keeps existing values: %s', (_, line, expected) => {
    expect(attributesOf(line)).toEqual({
      'http.request.method': 'GET',
      'url.path': '/a',
      'network.protocol.version': '1.1',
      'http.response.status_code': 200,
      ...expected,
    });
  });

  test.each([
    ['2000-10-10T13:55:36-07:00', 0],
    ['2000-10-10T20:55:36.250Z', 250],
    ['971211336250', 250],
    ['971211336.250', 250],
    ['10/Oct/2000:13:55:36.250 -0700', 250],
  ])('has its time in another notation: %s', (time, ms) => {
    const parsed = parse(`h - - [${time}] "GET /a HTTP/1.1" 200 1`);
    expect(parsed.timeUnixNano).toBe(BigInt(Date.UTC(2000, 9, 10, 20, 55, 36, ms)) * 1_000_000n);
    expect(parsed.attributes.get('client.address')).toBe('h');
  });

  test.each([
    '05/Mar/9999:10:00:00 +0000',
    '10/Oct/2000:13:55:36',
    '31/Feb/2000:13:55:36 +0000',
    '10/Foo/2000:13:55:36 +0000',
    '10/Oct/2000:24:00:00 +0000',
    '10/Oct/2000:13:55:36 +2500',
  ])('keeps the text of a time that is not a moment: %s', (time) => {
    const parsed = parse(`h - u [${time}] "GET /a HTTP/1.1" 500 1`);
    expect(parsed.timeUnixNano).toBeUndefined();
    expect(parsed.severityNumber).toBe(SEVERITY.error);
    expect(Object.fromEntries(parsed.attributes)).toMatchObject({
      'user.name': 'u',
      'url.path': '/a',
      [TIME_RAW]: time,
    });
  });

  test('begins with a byte order mark', () => {
    const parsed = parse(`\ufeffh - - ${TIME} "GET /a HTTP/1.1" 200 1`);
    expect(parsed.attributes.get('client.address')).toBe('h');
    expect(parsed.body.startsWith('h -')).toBe(true);
  });
});
