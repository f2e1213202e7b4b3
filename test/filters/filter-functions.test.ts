import { describe, expect, test } from 'vitest';
import { FILTER_FUNCTIONS } from '../../src/filters/functions/registry.ts';
import { afterFilter, attributesAfter, filteredRecord, filterProgram } from '../support/run-filter.ts';

const value = (expression: string, own = {}, body = 'x') =>
  attributesAfter(`[r] := ${expression}`, filteredRecord(body, own))['r'];

describe('values', () => {
  test.each([
    ['number("42")', 42],
    ['number("-1.5e3")', -1500],
    ['number("0x1f")', 31],
    ['number("1,234.5")', 1234.5],
    ['number("x")', undefined],
    ['upper("aé")', 'AÉ'],
    [
      'replace("a password=x b password=y", "password=\\S+", "password=***")',
      'a password=*** b password=***',
    ],
    ['replace("2026-01", "(?<y>\\d+)-(?<m>\\d+)", "${m}/${y} $0 $$")', '01/2026 2026-01 $'],
    ['replace("abc", "^", "x")', 'xabc'],
    ['replace("aXbx", "x", "-", ignore_case = true)', 'a-b-'],
    ['replace("äöü 😀 x", "x", "y")', 'äöü 😀 y'],
    ['mask("ann@example.com")', 'a***@example.com'],
    ['mask("10.1.2.3")', '10.1.2.0'],
    ['mask("2001:db8:1:2::3")', '2001:db8:1::'],
    ['mask("secret")', '***'],
    ['mask("4111111111111111", keep = 4)', '***1111'],
    ['mask("ab", keep = 4)', '***b'],
    ['hash("x")', '2d711642b726b04401627ca9fbac32f5'],
    ['lookup("hosts.csv", "web-1", "city")', 'Paris'],
    ['lookup("hosts.csv", "web-9", default = "none")', 'none'],
    ['resource("host.name")', 'web-1'],
    ['timestamp("2026-01-31T10:00:00+01:00")', '2026-01-31T09:00:00.000000000Z'],
    ['timestamp("31/Jan/2026:10:00:00 +0000", "%d/%b/%Y:%H:%M:%S %z")', '2026-01-31T10:00:00.000000000Z'],
    [
      'timestamp("31.07.26 01:02:03 PM", "%d.%m.%y %I:%M:%S %p", zone = "Europe/Paris")',
      '2026-07-31T11:02:03.000000000Z',
    ],
    ['timestamp("Jan 31 10:00:00.5", "%b %d %H:%M:%S.%f")', '2026-01-31T10:00:00.500000000Z'],
    ['timestamp("1769853600", "%s")', '2026-01-31T10:00:00.000000000Z'],
    ['timestamp("nonsense")', undefined],
  ])('%s', (expression, expected) => expect(value(expression)).toEqual(expected));

  test('a function of a list changes each element', () => {
    expect(value('lower([l])', { l: ['A', 'B'] })).toEqual(['a', 'b']);
  });

  test('the hash depends on the key', () => {
    expect(value('hash("x", key = "k")')).not.toBe(value('hash("x")'));
  });

  test('every match in a long text is replaced, also across parts of it', () => {
    const text = 'pin=1234 '.repeat(20_000);
    const [after] = afterFilter(String.raw`body := replace(body, "\d{4}", "*")`, filteredRecord(text));
    expect(after?.body).toBe('pin=* '.repeat(20_000));
  });

  test('every match is replaced where each search can read the whole text', () => {
    const program = filterProgram('body := replace(body, "a.*b|a", "*")');
    const result = program.run(filteredRecord('a'.repeat(5000)));
    expect(result.kind === 'records' && result.records[0]?.body).toBe('*'.repeat(5000));
  });

  test('a text that only grows by replacing is limited', () => {
    const program = filterProgram(`body := replace(body, "a", "${'a'.repeat(1000)}")`);
    const result = program.run(filteredRecord('a'.repeat(5000)));
    expect(result.kind === 'records' && (result.records[0]?.body.length ?? 0) < 2 ** 20 + 10_000).toBe(true);
    expect(program.errors.total).toBe(1);
  });
});

describe('extractions', () => {
  test.each([
    ['regex("user=(?<user.name>\\S+)")', 'user=ann x', { 'user.name': 'ann' }],
    [
      'grok("%{IP:ip} %{INT:n:int}", prefix = "p.", name_to = "pattern")',
      '10.0.0.1 7',
      { 'p.ip': '10.0.0.1', 'p.n': 7, pattern: '%{IP:ip} %{INT:n:int}' },
    ],
    ['kv()', 'x a=1 b="two words" c=', { a: '1', b: 'two words', c: '' }],
    ['kv(pair = "; ", key = ": ", prefix = "k.")', 'a: 1; b: 2 3', { 'k.a': '1', 'k.b': '2 3' }],
    ['csv("a", "", "c", separator = ";")', '1;2;"x;""y"', { a: '1', c: 'x;"y' }],
    ['json(prefix = "j.")', '{"a":{"b":[1]},"c":null}', { 'j.a': { b: [1] }, 'j.c': null }],
    ['logfmt()', 'level=info n=1', { level: 'info', n: 1 }],
    [
      'cef()',
      'x CEF:0|V|P\\|1|2.0|100|a name|5|src=10.0.0.1 msg=two words act=a\\=b',
      {
        'cef.version': '0',
        'cef.device_vendor': 'V',
        'cef.device_product': 'P|1',
        'cef.device_version': '2.0',
        'cef.event_id': '100',
        'cef.name': 'a name',
        'cef.severity': '5',
        'cef.src': '10.0.0.1',
        'cef.msg': 'two words',
        'cef.act': 'a=b',
      },
    ],
    [
      'leef()',
      'LEEF:2.0|V|P|1|7|^|src=1^dst=2',
      {
        'leef.version': '2.0',
        'leef.device_vendor': 'V',
        'leef.device_product': 'P',
        'leef.device_version': '1',
        'leef.event_id': '7',
        'leef.src': '1',
        'leef.dst': '2',
      },
    ],
    [
      'geoip(body)',
      '81.2.69.142',
      {
        'geo.continent.code': 'EU',
        'geo.country.iso_code': 'FR',
        'geo.region.iso_code': 'FR-IDF',
        'geo.locality.name': 'Paris',
        'geo.location.lat': 48.8566,
        'geo.location.lon': 2.3522,
      },
    ],
    ['geoip(body)', '10.0.0.1', {}],
    ['geoip(body)', 'nonsense', {}],
    [
      'useragent(body)',
      'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
      { 'user_agent.name': 'Googlebot', 'user_agent.version': '2.1', tags: ['bot'] },
    ],
  ])('%s of %s', (call, body, expected) => {
    expect(attributesAfter(call, filteredRecord(body))).toEqual(expected);
  });

  test('a failure is an error of a statement, and an answer in a condition', () => {
    const statement = filterProgram('json()');
    const condition = filterProgram('if json() { stop }');
    for (const program of [statement, condition]) program.run(filteredRecord('no JSON'));
    expect([statement.errors.total, condition.errors.total]).toEqual([1, 0]);
  });

  test('a number that does not fit its type remains a text', () => {
    expect(attributesAfter('grok("%{NOTSPACE:n:int}")', filteredRecord('1x'))).toEqual({ n: '1x' });
  });

  test('timestamp sets the time of the record', () => {
    const [after] = afterFilter('timestamp(body)', filteredRecord('2026-01-31T10:00:00Z'));
    expect(after?.timeUnixNano).toBe(1_769_853_600_000_000_000n);
  });
});

describe('sample', () => {
  const kept = (text: string, own = {}) =>
    Array.from({ length: 20_000 }, (_, at) => filteredRecord('x', own, { position: at * 37 })).filter(
      (record) => filterProgram(text).run(record).kind !== 'dropped',
    ).length;

  test('keeps about one of n records', () => {
    const count = kept('drop if not sample(10)');
    expect(count).toBeGreaterThan(1700);
    expect(count).toBeLessThan(2300);
  });

  test('keeps all records with the same value, or none', () => {
    expect([0, 20_000]).toContain(kept('drop if not sample(10, by = [id])', { id: 'a' }));
  });
});

test('the call that is shown for each function is valid', () => {
  const given = [...FILTER_FUNCTIONS.values()].filter(({ usage }) => !usage.includes('...'));
  for (const { usage } of given)
    expect(() =>
      filterProgram(`[x] := ${usage.replaceAll('VALUE', 'body').replace('"column"', '"team"')}`),
    ).not.toThrow();
});
