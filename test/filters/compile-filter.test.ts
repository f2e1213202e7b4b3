import { describe, expect, it, test } from 'vitest';
import {
  afterFilter,
  attributesAfter,
  filteredRecord,
  filterProgram,
  problemsOf,
} from '../support/run-filter.ts';

const attributes = attributesAfter;
const record = filteredRecord;

describe('conditions', () => {
  const outcome = (condition: string, body = 'x', own = {}) =>
    filterProgram(`drop if ${condition}`).run(record(body, own)).kind === 'dropped';

  it.each([
    ['a == 1 and b == 2 and c == 3', { a: 1, b: 2, c: 3 }, true],
    ['a == 1 and b == 2 and c == 3', { a: 1, b: 2, c: 4 }, false],
    ['a == 1 and b == 2 or c == 3', { c: 3 }, true],
    ['a == 1 and (b == 2 or c == 3)', { c: 3 }, false],
    ['not a == 1', {}, true],
    ['not a == 1 and a == 1', { a: 1 }, false],
    ['not (a == 1 or b == 1)', { b: 1 }, false],
    ['[a] == [b]', { a: 'x', b: 'x' }, true],
    ['[a] == [b]', {}, false],
    ['[a] != [b]', { a: 'x' }, true],
    ['lower([a]) == "ab"', { a: 'AB' }, true],
    ['"x" + [a] == "xy"', { a: 'y' }, true],
    ['a == 2', { a: [1, 2] }, true],
    ['"t" in tags', { tags: ['s', 't'] }, true],
    ['t in tags', { tags: ['t'] }, true],
    ['"t" notin tags', { tags: ['t'] }, false],
    ['"agent" in custom_fields', { agent: '' }, true],
    ['agent notin custom_fields', {}, true],
    ['facility == "kern"', { 'syslog.facility.code': 0 }, true],
    ['facility ~ "^auth"', { 'syslog.facility.code': 10 }, true],
    ['facility != "kern"', { 'syslog.facility.code': 4 }, true],
    ['app_name == "nginx"', { 'service.name': 'nginx' }, true],
    ['[host.name] == "web-1"', {}, true],
    ['[host.name] == "own"', { 'host.name': 'own' }, true],
    ['message ~* "^X$"', {}, true],
    ['cidr([ip], "10.0.0.0/8", "2001:db8::/32")', { ip: '2001:db8::1' }, true],
    ['cidr([ip], "10.0.0.0/8")', { ip: '11.0.0.1' }, false],
    ['cidr([ip], "10.0.0.0/8")', {}, false],
    ['regex("^x")', {}, true],
    ['lookup("hosts.csv", [host.name], "team") == "shop"', {}, true],
    ['lookup("hosts.csv", body)', {}, false],
    ['request.headers[0].name == "a"', { request: { headers: [{ name: 'a' }] } }, true],
    ['a == 1 # a comment\n and b == 2', { a: 1, b: 2 }, true],
  ])('%s', (condition, own, expected) => {
    expect(outcome(condition, 'x', own)).toBe(expected);
  });
});

describe('statements', () => {
  test('the first condition that is true decides', () => {
    const text = 'if [a] == 1 { [r] := "a" } else if [a] == 2 { [r] := "b" } else { [r] := "c" }';
    expect([1, 2, 3].map((a) => attributes(text, record('', { a }))['r'])).toEqual(['a', 'b', 'c']);
  });

  test('stop ends the filter for the record, drop removes it', () => {
    expect(attributes('if body == "x" { stop } [a] := 1', record('x'))).toEqual({});
    expect(attributes('if body == "x" { stop } [a] := 1', record('y'))).toEqual({ a: 1 });
    expect(afterFilter('drop if body == "x"', record('x'))).toEqual([]);
  });

  test('a record that no statement changes is returned as it is', () => {
    expect(filterProgram('if body == "y" { [a] := 1 }').run(record('x'))).toEqual({ kind: 'unchanged' });
  });

  it.each([String.raw`body := replace(body, "password=\S+", "password=***")`, '[a] := "b"', 'body := body'])(
    'an equal value is no change: %s',
    (text) => {
      expect(filterProgram(text).run(record('x', { a: 'b' }))).toEqual({ kind: 'unchanged' });
    },
  );

  test('the record of the caller is never changed', () => {
    const given = record('x', { a: 1, tags: ['t'] });
    const before = structuredClone({ ...given });
    afterFilter('[a] := 2 tags += "u" body := "y" delete [tags] severity := "error"', given);
    expect({ ...given }).toEqual(before);
  });

  test('a missing value assigns nothing and is no error', () => {
    const program = filterProgram('[a] := [b] rename [c] to [d] time := timestamp([e]) delete [f]');
    expect(program.run(record('x'))).toEqual({ kind: 'unchanged' });
    expect(program.errors.total).toBe(0);
  });

  test('assigns, joins, renames and deletes', () => {
    const text = '[a] := "x-" + [b] + 1  rename [b] to [n.m]  delete [c], [d.e]  order.id := 7';
    const own = { b: 'y', c: 1, d: { e: 1, f: 2 }, order: { id: 5, n: 1 } };
    expect(attributes(text, record('', own))).toEqual({
      a: 'x-y1',
      'n.m': 'y',
      d: { f: 2 },
      order: { n: 1 },
      'order.id': 7,
    });
  });

  test('a list that is joined gives a list', () => {
    expect(attributes('[a] := "x" + [b]', record('', { b: ['1', '2'] }))['a']).toEqual(['x1', 'x2']);
  });

  test('sets severity, time, body, host and service of a record', () => {
    const text =
      'severity := "error" time := "2026-01-31T10:00:00Z" body := "b" host.name := "h" app_name := "s"';
    expect(afterFilter(text, record('x'))).toMatchObject([
      {
        severityNumber: 17,
        severityText: 'error',
        timeUnixNano: 1_769_853_600_000_000_000n,
        body: 'b',
        attributes: new Map([
          ['host.name', 'h'],
          ['service.name', 's'],
        ]),
      },
    ]);
  });

  test('tags are a list without repetitions', () => {
    expect(attributes('tags += "a" tags += "b" tags += "a"', record(''))).toEqual({ tags: ['a', 'b'] });
    expect(attributes('tags -= "a"', record('', { tags: ['a'] }))).toEqual({});
  });

  test('pyloggr writes blocks with parentheses', () => {
    expect(attributes('if (body == "x") ( tags += "a" ) else ( tags += "b" )', record('x'))).toEqual({
      tags: ['a'],
    });
  });

  test('route keeps a record for the named emitters, and without route it is for all', () => {
    const text = 'if body == "e" { route("pager", "store") } else if body == "s" { route("store") }';
    const kept = (emitter: string) =>
      ['e', 's', 'x'].map((body) => filterProgram(text, emitter).run(record(body)).kind);
    expect(kept('pager')).toEqual(['unchanged', 'dropped', 'unchanged']);
    expect(kept('store')).toEqual(['unchanged', 'unchanged', 'unchanged']);
    expect(kept('other')).toEqual(['dropped', 'dropped', 'unchanged']);
    expect(filterProgram(text).routes).toEqual(new Set(['pager', 'store']));
  });

  describe('split', () => {
    test('makes a record of each element, and the rest of the filter runs for each', () => {
      const after = afterFilter(
        'split [items] drop if [items] == "b" [n] := "n-" + [items]',
        record('x', { items: ['a', 'b', 'c'] }),
      );
      expect(after.map(({ part, attributes: own }) => [part, own.get('n')])).toEqual([
        [0, 'n-a'],
        [2, 'n-c'],
      ]);
    });

    test('splits within a split', () => {
      const after = afterFilter('split body by ";" split [l]', record('1;2', { l: ['a', 'b'] }));
      expect(after.map(({ part, body, attributes: own }) => [part, body, own.get('l')])).toEqual([
        [0, '1', 'a'],
        [1, '1', 'b'],
        [2, '2', 'a'],
        [3, '2', 'b'],
      ]);
    });

    test('a list of one element is no split, and other values stay', () => {
      expect(afterFilter('split [l]', record('', { l: ['a'] }))[0]?.attributes.get('l')).toBe('a');
      expect(filterProgram('split [l]').run(record('', { l: 'a' })).kind).toBe('unchanged');
    });

    test('an error before the split is counted once', () => {
      const program = filterProgram('severity := lower("nonsense") split [l] [n] := number([l])');
      program.run(record('', { l: ['1', 'x', 'y'] }));
      expect(program.errors.total).toBe(3);
    });

    test('too many parts are an error, and the record stays whole', () => {
      const program = filterProgram('split [l]');
      const l = Array.from({ length: 1001 }, (_, at) => at);
      expect(program.run(record('', { l })).kind).toBe('unchanged');
      expect(program.errors.samples).toMatchObject([{ line: 1, reason: 'split: more than 1000 parts' }]);
    });
  });
});

describe('errors at run time', () => {
  test('are counted per line, with the first ten samples, and drop nothing', () => {
    const program = filterProgram('[a] := 1\n[n] := number(body)\nseverity := body');
    for (let at = 0; at < 20; at++) expect(program.run(record(`x${at}`)).kind).toBe('records');
    expect(program.errors.total).toBe(40);
    expect(Object.fromEntries(program.errors.byLine)).toEqual({ 2: 20, 3: 20 });
    expect(program.errors.samples).toHaveLength(10);
    expect(program.errors.samples[0]).toEqual({
      file: 'a.filter',
      line: 2,
      reason: 'number: not a number',
      value: 'x0',
    });
  });

  test('a text that only grows is limited', () => {
    const program = filterProgram('body := body + body\n'.repeat(60));
    expect(program.run(record('0123456789')).kind).toBe('records');
    expect(program.errors.total).toBeGreaterThan(0);
  });
});

describe('the part of a record that a filter needs', () => {
  test.each([
    ['drop if resource.service.name == "x"', 'resource'],
    ['if resource("a") == "b" { route("x") }', 'resource'],
    ['drop if not sample(10)', 'bytes'],
    ['drop if service.name == "x"', 'fields'],
    ['[a] := 1', 'fields'],
    ['split [a]', 'fields'],
    ['', 'resource'],
  ])('%s', (text, reads) => expect(filterProgram(text).reads).toBe(reads));

  test('a filter of the resource decides a batch', () => {
    const program = filterProgram('drop if resource.service.name == "x"');
    expect(program.decide(new Map([['service.name', 'x']]))).toBe('drop');
    expect(program.decide(new Map([['service.name', 'y']]))).toBe('keep');
  });

  test.each([
    ['if resource.a == "x" { stop } drop if body == "y"', 'keep', 'run'],
    ['if resource.a == "x" { drop } [b] := 1', 'drop', 'run'],
    ['if resource.a == "x" { route("other") } else { tags += "z" }', 'drop', 'run'],
    ['drop if body == "y" and resource.a == "x"', 'run', 'run'],
    ['if resource.a == "x" { [b] := number("z") }', 'run', 'keep'],
    ['if resource.a == "x" { drop if position >= 0 }', 'run', 'keep'],
    ['if resource("a") == "x" { drop }', 'drop', 'keep'],
    ['if resource("a") == "x" { tags += "x" } stop', 'run', 'keep'],
    ['drop if body == "y"', 'run', 'run'],
  ])('decides by the resource if it reads nothing else for this resource: %s', (text, x, other) => {
    const program = filterProgram(text, 'here');
    expect(program.decide(new Map([['a', 'x']]))).toBe(x);
    expect(program.decide(new Map([['a', 'z']]))).toBe(other);
    expect(program.errors.total).toBe(0);
  });
});

describe('a literal without quotes', () => {
  test.each([
    'client.address == 10.0.0.1',
    'a == web-1',
    'a == 2026-01-31',
    'time >= 2026-01-31T10:00:00Z',
    'a == -1.5e3',
    'status_code == "5xx"',
    'stream == 43f05f7a-c85f-2e02-cc83-93bea7228686',
  ])('is accepted: %s', (condition) => expect(problemsOf(`drop if ${condition}`)).toEqual([]));
});

describe('a mistake', () => {
  test.each([
    ['[a] := 1\nif body == "x" {\n  [b] := 2', 'a.filter:3:11: expected }, found the end'],
    ['if grock("X") { stop }', 'a.filter:1:4: there is no function grock; did you mean grok?'],
    [
      'grok("NGINX_ACCES")',
      'a.filter:1:6: invalid pattern: the pattern NGINX_ACCES is not known; did you mean NGINX_ACCESS?',
    ],
    ['grok("IP", prefx = "a")', 'a.filter:1:12: grok has no argument prefx; did you mean prefix?'],
    ['drop if status_code == 5xx', 'a.filter:1:24: status_code is a number; write a number such as 500'],
    [
      'drop if duration > 5s',
      'a.filter:1:20: expected a number such as 500, a time such as 2026-01-31, or a text in quotes, found "5s"',
    ],
    ['drop if a in 9..1', 'a.filter:1:11: the range is empty; write 1..9'],
    ['drop if severity in error..warn', 'a.filter:1:18: the range is empty; write warn..error'],
    ['drop if severity == 99', 'a.filter:1:21: a severity is a name or a number from 1 to 24, found 99'],
    ['drop if body ~ "(?ii)a"', 'a.filter:1:17: invalid regular expression: the flag i is given twice'],
    ['time := "yesterday"', 'a.filter:1:9: time: expected a time'],
    [
      '[a] := 1e5',
      'a.filter:1:8: expected a number of at most 15 digits such as 42 or -1.5, or a text in quotes, found "1e5"',
    ],
    ['[a] := "\\xZZ"', 'a.filter:1:9: expected 2 hexadecimal digits after \\x; write \\\\x for a backslash'],
    [
      'route("")',
      'a.filter:1:7: the name of an emitter has 1 to 63 letters, digits, dots, underscores and hyphens',
    ],
    ['[a] := timestamp([b], "")', 'a.filter:1:23: expected a format such as "%Y-%m-%d", found an empty text'],
    ['dorp', 'a.filter:1:1: expected := after dorp, found the end; did you mean drop?'],
    ['if body == "x" { stop )', 'a.filter:1:23: expected a statement, found ")"'],
    ['stream := "x"', 'a.filter:1:1: stream cannot be changed'],
    ['lower(body)', 'a.filter:1:1: the result of lower is not used; write [name] := lower(...)'],
    ['regex("(?=x)")', /^a\.filter:1:7: invalid pattern: /],
    [
      '[a] := lookup("hosts.csv", body, "teem")',
      'a.filter:1:34: the table hosts.csv has no column "teem"; did you mean team?',
    ],
    [
      '[a] := timestamp(body, "%Q")',
      /^a\.filter:1:24: the format has no directive %Q; it has .* %T %F %D %R %%/,
    ],
    [
      'test "t" { given sylog "x" expect body == "x" }',
      'a.filter:1:18: expected a format; did you mean syslog?',
    ],
    ['if severity > "eror" { stop }', /^a\.filter:1:\d+: expected a severity/],
  ])('%s', (text, expected) => {
    const [problem = ''] = problemsOf(text);
    if (typeof expected === 'string') expect(problem).toBe(expected);
    else expect(problem).toMatch(expected);
  });

  test('all mistakes of the statements are reported', () => {
    expect(problemsOf('grok("AAA")\nlower(body)\nif nope(1) { [a] := nope2() }')).toHaveLength(4);
  });

  test('is found for a comparison of source with a text that is no path', () => {
    const warned = (text: string) => filterProgram(text).facts.warnings.map(({ reason }) => reason);
    expect(warned('drop if source == "web-1"')).toEqual([expect.stringContaining('write host.name')]);
    expect(warned('drop if source == "/var/log/syslog"')).toEqual([]);
    expect(warned('drop if source contains "web"')).toEqual([]);
  });

  test('a statement that never runs is a warning', () => {
    expect(filterProgram('stop\n[a] := 1').facts.warnings).toEqual([
      { line: 2, reason: 'never runs: it is after stop' },
    ]);
  });

  test.each(['(', '{', 'if ', 'not '])('deep nesting of %j is a mistake and no crash', (text) => {
    expect(problemsOf(`if ${text.repeat(50_000)}`)).toHaveLength(1);
  });
});
