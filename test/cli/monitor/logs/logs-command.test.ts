import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { FakeAggregator } from '../fake-aggregator.ts';
import { logEntry } from '../log-entry.ts';
import { monitor } from '../monitor-run.ts';

const HOSTILE = '\u001b[2J\u001b]0;title\u0007\rover\u0008\u009b31m\u202egnirts\u2069\u0000';
const NOTHING_OBEYED = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;

const searched = (...entries: readonly unknown[]) =>
  FakeAggregator.start({ 'GET /v1/logs': { json: { entries, next: null } } });

describe('monitor logs, piped', () => {
  test('is one line for each record, the newest last', async () => {
    const server = await searched(
      logEntry(2, { severity: 'error', body: 'two\nlines\tand a tab', attributes: { a: 1 } }),
      logEntry(1, { severity: null, host: null, service: null }),
    );
    const { exitCode, stdout, stderr } = await monitor(['logs'], { aggregator: server });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(
      [
        '2026-01-31T10:00:01.120Z -     record 1',
        '2026-01-31T10:00:02.120Z ERROR web-1 shop two\\nlines and a tab',
        '',
      ].join('\n'),
    );
  });

  test('has attributes as JSON after a tab', async () => {
    const server = await searched(logEntry(1, { attributes: { 'a.b': 'x\u009b\n', n: [1] } }));
    const { stdout } = await monitor(['logs', '--attributes'], { aggregator: server });
    expect(stdout).toBe(
      '2026-01-31T10:00:01.120Z INFO  web-1 shop record 1\t{"a.b":"x\\u009b\\n","n":[1]}\n',
    );
  });

  test('--json is one object for each, the same that the aggregator gave', async () => {
    const entries = [logEntry(2, { body: HOSTILE }), logEntry(1, { attributes: { deep: { x: [HOSTILE] } } })];
    const { stdout } = await monitor(['logs', '--json'], { aggregator: await searched(...entries) });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([...entries].reverse());
    expect(stdout).not.toMatch(NOTHING_OBEYED);
  });

  test('prints nothing on standard output for no records', async () => {
    expect(await monitor(['logs'], { aggregator: await searched() })).toMatchObject({
      exitCode: 0,
      stdout: '',
    });
  });
});

describe('monitor logs with a property that no record has', () => {
  const unknown = [
    {
      property: 'nosuch',
      nearest: ['such'],
      message: 'No record has the attribute nosuch\u001b[1m; did you mean such?',
    },
  ];
  const aggregator = () =>
    FakeAggregator.start({
      'GET /v1/logs': { json: { entries: [], next: null, unknown } },
      'GET /v1/logs/histogram': { json: { intervalSeconds: 60, total: 0, bars: [], unknown } },
      'GET /v1/logs/values': { json: { values: [{ value: null, count: 5 }], unknown } },
    });

  test.each([
    [['--where', 'nosuch=1']],
    [['--where', 'nosuch=1', '--json']],
    [['--where', 'nosuch=1', '--histogram']],
    [['--values', 'nosuch']],
  ])('%j fails with the nearest names', async (argv) => {
    const { exitCode, stdout, stderr } = await monitor(['logs', ...argv], { aggregator: await aggregator() });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^mega-collector: No record has the attribute nosuch.*; did you mean such\?\n$/);
    expect(stderr).not.toContain('\u001b');
  });
});

describe('monitor logs, on a terminal', () => {
  test('colours the severity and cuts attributes to the rest of the line', async () => {
    const server = await searched(
      logEntry(1, {
        severity: 'warn',
        body: 'out of stock',
        attributes: { item: 4711, 'user.name': 'ann', reason: 'a very long reason, which does not fit' },
      }),
    );
    const { stdout } = await monitor(['logs'], { aggregator: server, columns: 90 });
    expect(stdout).toContain('\u001b[33mWARN \u001b[39m');
    const plain = stripVTControlCharacters(stdout);
    expect(plain).toBe(
      '2026-01-31T10:00:01.120Z WARN  web-1 shop out of stock  item=4711 user.name=ann reason=a …\n',
    );
    expect(plain.trimEnd()).toHaveLength(90);
  });

  test.each([40, 55, 60, 66, 68, 80, 200])(
    'of %d columns, attributes never begin a row of their own',
    async (columns) => {
      const body = '日本語 and an emoji 🎉';
      const server = await searched(logEntry(1, { body, attributes: { key: 'value'.repeat(99) } }));
      const { stdout } = await monitor(['logs'], {
        aggregator: server,
        columns,
        environment: { NO_COLOR: '1' },
      });
      const head = '2026-01-31T10:00:01.120Z INFO  web-1 shop ';
      const width = head.length + body.length + 3;
      expect(stdout.startsWith(head + body)).toBe(true);
      const folded = stdout
        .trimEnd()
        .slice((head + body).length)
        .trimStart();
      const total = width + (folded === '' ? 0 : 2 + folded.length);
      expect(Math.ceil(total / columns)).toBe(Math.ceil(width / columns));
    },
  );

  test('--attributes shows all attributes, one per line', async () => {
    const server = await searched(logEntry(1, { attributes: { a: 'x', b: { c: true } } }));
    const options = { aggregator: server, columns: 90, environment: { NO_COLOR: '1' } };
    expect((await monitor(['logs', '--attributes'], options)).stdout).toBe(
      [
        '2026-01-31T10:00:01.120Z INFO  web-1 shop record 1',
        '    source: /var/log/shop.log',
        '    format: json',
        '    a: x',
        '    b: {"c":true}',
        '',
      ].join('\n'),
    );
  });

  test('prints a body of several lines with each line marked, so that none looks like a record', async () => {
    const body = 'Error: x\r\n  at y\n2026-01-31T10:00:09.000Z FATAL forged\n\n';
    const options = {
      aggregator: await searched(logEntry(1, { body })),
      columns: 90,
      environment: { NO_COLOR: '1' },
    };
    expect((await monitor(['logs'], options)).stdout).toBe(
      [
        '2026-01-31T10:00:01.120Z INFO  web-1 shop Error: x',
        '  |   at y',
        '  | 2026-01-31T10:00:09.000Z FATAL forged',
        '',
      ].join('\n'),
    );
  });

  test.each([[[]], [['--attributes']], [['--json']]])(
    'with %j nothing that a log says is obeyed',
    async (argv) => {
      const server = await searched(
        logEntry(1, {
          time: HOSTILE,
          host: HOSTILE,
          service: HOSTILE,
          source: HOSTILE,
          format: HOSTILE,
          body: HOSTILE,
          attributes: { [HOSTILE]: HOSTILE, list: [HOSTILE] },
        }),
      );
      const options = { aggregator: server, columns: 400, environment: { NO_COLOR: '1' } };
      const { exitCode, stdout } = await monitor(['logs', ...argv], options);
      expect(exitCode).toBe(0);
      expect(stdout).not.toMatch(NOTHING_OBEYED);
    },
  );
});

test('rejects an answer that is nested too deeply', async () => {
  const entry = JSON.stringify(logEntry(1, { attributes: { deep: 'HERE' } }));
  const deep = entry.replace('"HERE"', '['.repeat(100_000) + ']'.repeat(100_000));
  const server = await FakeAggregator.start({
    'GET /v1/logs': (response) => response.end(`{"entries":[${deep}],"next":null}`),
  });
  const { exitCode, stdout, stderr } = await monitor(['logs'], { aggregator: server });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain('It is nested too deeply.');
});

describe('the request', () => {
  test('contains the values of the flags', async () => {
    const server = await searched();
    await monitor(
      [
        'logs',
        '--json',
        'out',
        'of',
        'stock',
        '--from',
        '1h',
        '--to',
        '2026-01-31T10:00:00Z',
        '-s',
        'warn',
      ].concat(['--host', 'web-1', '--service', 'shop', '-w', 'status_code=500', '-w', 'a=b=&c', '-n', '7']),
      { aggregator: server },
    );
    expect(server.requests.map(({ route, query }) => ({ route, query }))).toEqual([
      {
        route: 'GET /v1/logs',
        query:
          'from=1h&to=2026-01-31T10:00:00Z&text=out of stock&severity=warn&host=web-1&service=shop' +
          '&where=status_code=500&where=a=b=&c&limit=7',
      },
    ]);
  });

  test('requests several pages, by cursor', async () => {
    const page = (first: number, count: number, next: string | null) => ({
      json: { entries: Array.from({ length: count }, (_, index) => logEntry(first - index)), next },
    });
    const server = await FakeAggregator.start({
      'GET /v1/logs': [page(5000, 1000, 'a b'), page(4000, 1000, 'c'), page(3000, 500, 'd')],
    });
    const { stdout } = await monitor(['logs', '-n', '2500', '--json'], { aggregator: server });
    const positions = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).position);
    expect(positions).toEqual(Array.from({ length: 2500 }, (_, index) => 2501 + index));
    expect(server.requests.map(({ query }) => query)).toEqual([
      'limit=1000',
      'limit=1000&cursor=a b',
      'limit=500&cursor=c',
    ]);
  });

  test('stops after a page with an unchanged cursor', async () => {
    const server = await FakeAggregator.start({ 'GET /v1/logs': { json: { entries: [], next: 'again' } } });
    expect((await monitor(['logs', '--json'], { aggregator: server })).exitCode).toBe(0);
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    [
      ['--from', 'tomorrow'],
      '--from: expected a time such as 2026-01-31, "2026-01-31 10:00" or 2026-01-31T10:00:00Z, a time ago such as 15m or 3d',
    ],
    [['--severity', 'bad'], '--severity: expected one of trace, debug'],
    [['--where', '=x'], '--where: expected property=value, such as status_code=500, found "=x"'],
    [['--where', 'a)b=x'], '--where: expected a property such as status_code'],
    [['-n', '100001'], '-n: expected at most 100000, found "100001"'],
    [['-n', '0'], '-n: expected at least 1'],
    [['-n', '1.5'], '-n: expected a whole number, found "1.5"'],
    [['x'.repeat(1001)], 'TEXT: expected at most 1000 characters'],
    [[''], 'TEXT: expected some text'],
    [['--follow', '--to', '1h'], '--follow cannot be combined with --to'],
    [['--follow', '--histogram'], 'Use only one of --follow and --histogram'],
    [['--histogram', '-n', '3'], '-n cannot be combined with --histogram'],
    [['--interval', '3'], '--interval requires --histogram'],
    [['--values', 'lower(x)'], '--values: expected section(...)'],
  ])('%j is a wrong command line', async (argv, message) => {
    const { exitCode, stdout, stderr } = await monitor(['logs', ...argv]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe('counts', () => {
  const HISTOGRAM = {
    intervalSeconds: 3600,
    total: 33,
    bars: [
      { time: '2026-01-31T10:00:00.000000Z', count: 30 },
      { time: '2026-01-31T11:00:00.000000Z', count: 0 },
      { time: '2026-01-31T12:00:00.000000Z', count: 3 },
    ],
  };
  const VALUES = {
    values: [
      { value: '200', count: 1000 },
      { value: '\u001b[1m', count: 20 },
      { value: null, count: 1 },
    ],
  };
  const counted = () =>
    FakeAggregator.start({
      'GET /v1/logs/histogram': { json: HISTOGRAM },
      'GET /v1/logs/values': { json: VALUES },
    });

  test('--histogram is a table, with bars on a terminal', async () => {
    const server = await counted();
    const argv = ['logs', '--histogram', '--interval', '1h', '--from', '24h'];
    expect((await monitor(argv, { aggregator: server })).stdout).toBe(
      [
        'time                  records',
        '2026-01-31T10:00:00Z       30',
        '2026-01-31T11:00:00Z        0',
        '2026-01-31T12:00:00Z        3',
        '',
      ].join('\n'),
    );
    expect(server.requests[0]?.query).toBe('from=24h&intervalSeconds=3600');
    const terminal = { aggregator: server, columns: 50, environment: { NO_COLOR: '1' } };
    expect((await monitor(argv, terminal)).stdout).toBe(
      [
        'time                  records',
        '2026-01-31T10:00:00Z       30  ████████████████',
        '2026-01-31T11:00:00Z        0',
        '2026-01-31T12:00:00Z        3  █▋',
        '',
        '33 records, 1h per line',
        '',
      ].join('\n'),
    );
    const { stdout } = await monitor([...argv, '--json'], { aggregator: server });
    expect(stdout.split('\n')[0]).toBe(JSON.stringify(HISTOGRAM.bars[0]));
  });

  test('--values is a table, the most frequent first', async () => {
    const server = await counted();
    const argv = ['logs', '--values', 'status_code', '-n', '3'];
    expect((await monitor(argv, { aggregator: server })).stdout).toBe(
      [
        'status_code  records',
        '200             1000',
        '\\x1b[1m           20',
        '(none)             1',
        '',
      ].join('\n'),
    );
    expect(server.requests[0]?.query).toBe('property=status_code&limit=3');
    const { stdout } = await monitor([...argv, '--json'], { aggregator: server });
    expect(JSON.parse(stdout.split('\n')[1] ?? '')).toEqual(VALUES.values[1]);
  });
});
