import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PropertyError, parseProperty } from '../../src/expressions/property.ts';
import { ACCESS_LOG_ALIASES } from '../../src/formats/access-log-aliases.ts';
import { ATTRIBUTE_COLUMNS, LOG_COLUMNS } from '../../src/logstore/log-columns.ts';

describe('a property is', () => {
  test.each([
    ['time', 'time', 'time'],
    ['ts', 'time', 'time'],
    ['severity', 'severity_number', 'number'],
    ['host.name', 'host', 'text'],
    ['service.name', 'service', 'text'],
    ['log.file.path', 'source', 'text'],
    ['stream', 'stream', 'uuid'],
    ['http.response.status_code', 'http_response_status_code', 'number'],
    [' url.path ', 'url_path', 'text'],
  ])('%s: the column %s, a %s', (text, column, type) => {
    expect(parseProperty(text)).toEqual({ kind: 'column', name: text.trim(), column, type });
  });

  test('finds an attribute by its short name of access logs', () => {
    for (const { alias, attribute } of ACCESS_LOG_ALIASES) {
      expect(parseProperty(alias)).toEqual({ ...parseProperty(attribute), name: alias });
    }
    expect(parseProperty('host')).toMatchObject({ column: 'client_address' });
    expect(parseProperty('indent_logname')).toMatchObject({ kind: 'attribute', key: 'megacollector.ident' });
  });

  test.each([
    'url.query',
    'user_agent.original',
    '@timestamp',
    'a',
    '_',
    'k8s/pod',
    '1',
    'a b',
    "a'; drop table log_records; --",
    'a"b',
    '\u00fcmlaut',
    'order.id',
    'attributes.',
    'constructor',
    '__proto__',
  ])('the attribute %s', (key) => {
    expect(parseProperty(key)).toEqual({ kind: 'attribute', name: key, key });
  });

  test.each([
    ["['host']", 'host'],
    ['["host"]', 'host'],
    ["attributes['any name']", 'any name'],
    ["['it\\'s']", "it's"],
    ['["say \\"it\\""]', 'say "it"'],
    ['[\'say "it"\']', 'say "it"'],
    ["['a.b']", 'a.b'],
    ["['']", ''],
    ["['\\u001b']", '\u001b'],
    ["['count(*)']", 'count(*)'],
    ["['a=b']", 'a=b'],
    ["['a\\u0000']", 'a\ufffd'],
  ])('selects exactly the attribute in brackets: %s', (text, key) => {
    expect(parseProperty(text)).toEqual({ kind: 'attribute', name: text, key, path: [key] });
  });

  test('an attribute in an attribute, with several brackets', () => {
    expect(parseProperty("['order']['id']")).toMatchObject({ path: ['order', 'id'] });
  });

  test.each(['attributes.host', 'attributes.time'])(
    'with a prefix never a column of the record: %s',
    (text) => {
      expect(parseProperty(text)).toEqual({
        kind: 'attribute',
        name: text,
        key: text.slice('attributes.'.length),
      });
    },
  );

  test.each(['attributes.url.path', "attributes['url.path']", "['url.path']"])(
    'with a prefix the column of an attribute: %s',
    (text) => {
      expect(parseProperty(text)).toEqual({ kind: 'column', name: text, column: 'url_path', type: 'text' });
    },
  );

  test.each([
    ['section(url.path)', 'section(url.path)'],
    ['section(path)', 'section(url.path)'],
    ['section( path )', 'section(url.path)'],
    [' section(request_route) ', 'section(request_route)'],
  ])('the section of a text: %s', (text, name) => {
    expect(parseProperty(text)).toMatchObject({ kind: 'section', name, of: { column: 'url_path' } });
  });
});

test('names only columns of a record', () => {
  const names = [
    'time',
    'severity',
    'host.name',
    'service',
    'source',
    'format',
    'body',
    'stream',
    'position',
  ];
  for (const name of [...names, ...ATTRIBUTE_COLUMNS.map(({ attribute }) => attribute)]) {
    const property = parseProperty(name);
    expect(property.kind).toBe('column');
    if (property.kind === 'column') expect(LOG_COLUMNS).toContain(property.column);
  }
});

test.each([
  ['order.items[0].id', "order.items['0']['id']"],
  ['order[0][1].a.b["c d"]', 'order["0"]["1"]["a"]["b"]["c d"]'],
  ['a[0].b-c/d', "a['0']['b-c/d']"],
  ["a['x.y[0].z']", "a['x.y[0].z']"],
])('the path %s means the keys %s', (path, keys) => {
  const { name, ...property } = parseProperty(path);
  const { name: _, ...expected } = parseProperty(keys);
  expect({ name, property }).toEqual({ name: path, property: expected });
});

test('brackets without quotes mean attributes only, as in an expression', () => {
  expect(parseProperty('[ any.name ]')).toEqual(parseProperty('attributes.any.name'));
});

describe('reports an invalid value and shows it', () => {
  test.each([
    '',
    ' ',
    '*',
    '*.*',
    'count(*)',
    'section()',
    'section(time)',
    'section(status_code)',
    'section(stream)',
    'section(section(url.path))',
    'lower(body)',
    'section(body',
    'x'.repeat(301),
    'a\0',
    'a\u001bb',
    '[]',
    '[a(b]',
    '[a[0]',
    'a[0].',
    'a[0]b',
    "['a'",
    "['a']b",
    "['a\\x']",
    'attributes[a]',
    '["a"]'.repeat(17),
    "section(['a')",
  ])('%j', (text) => {
    expect(() => parseProperty(text)).toThrow(PropertyError);
  });

  test('briefly', () => {
    for (const long of [
      'section('.repeat(100_000),
      `${'section('.repeat(100_000)}${')'.repeat(100_000)}`,
      '-'.repeat(1e6),
    ]) {
      let message = '';
      try {
        parseProperty(long);
      } catch (error) {
        expect(error).toBeInstanceOf(PropertyError);
        message = (error as PropertyError).message;
      }
      expect(message.length).toBeGreaterThan(20);
      expect(message.length).toBeLessThan(300);
    }
  });
});

test('parses any text to a property or a PropertyError, and passes on only keys', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^(section\()?[a-z_.'"; ]+\)?$/)),
      (text) => {
        try {
          const property = parseProperty(text);
          const inner = property.kind === 'section' ? property.of : property;
          if (inner.kind === 'attribute')
            expect(inner.key.isWellFormed() && !inner.key.includes('\0')).toBe(true);
          else if (inner.kind === 'column') expect(LOG_COLUMNS).toContain(inner.column);
          expect(parseProperty(property.name)).toEqual(property);
        } catch (error) {
          expect(error).toBeInstanceOf(PropertyError);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test.each(['attributes.host.name', "['service.name']"])(
  'the own host and service of a record are columns: %s',
  (text) => {
    expect(parseProperty(text)).toMatchObject({ kind: 'column', name: text });
  },
);
