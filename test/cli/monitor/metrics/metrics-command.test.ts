import { describe, expect, test } from 'vitest';
import { FakeAggregator, refused } from '../fake-aggregator.ts';
import { monitor } from '../monitor-run.ts';

const TOTAL = {
  definition: {
    id: 'total_traffic',
    statistic: 'count',
    property: '*',
    periodSeconds: 60,
    refreshSeconds: 60,
    startOffsetSeconds: 86_400,
    endOffsetSeconds: 60,
  },
  createdAt: '2026-01-31T09:00:00.000Z',
  refreshedAt: '2026-01-31T10:00:05.250Z',
  points: 3,
};
const PER_ROUTE = {
  definition: {
    ...TOTAL.definition,
    id: 'per_route',
    statistic: 'avg',
    property: 'response_bsize',
    periodSeconds: 10,
    segment: 'section(url.path)',
  },
  createdAt: '2026-01-31T09:00:00.000Z',
  refreshedAt: null,
  points: 0,
};

const point = (minute: number, value: number | null, segment: string | null = null) => ({
  time: `2026-01-31T10:0${minute}:00.000000Z`,
  segment,
  value,
  count: 12,
});

const POINTS = [point(4, 8), point(3, 1234.5678), point(1, 0.012345)];
const SEGMENTS = [
  point(1, 5, 'api'),
  point(1, 9, 'img'),
  point(1, 1, null),
  point(0, 10, 'api'),
  point(0, 2, ''),
];

const aggregator = () =>
  FakeAggregator.start({
    'GET /v1/metrics': { json: { metrics: [TOTAL, PER_ROUTE] } },
    'GET /v1/metrics/total_traffic': { json: TOTAL },
    'GET /v1/metrics/total_traffic/points': { json: { points: POINTS } },
    'GET /v1/metrics/per_route': {
      json: { ...PER_ROUTE, definition: { ...PER_ROUTE.definition, periodSeconds: 60 } },
    },
    'GET /v1/metrics/per_route/points': { json: { points: SEGMENTS } },
    'DELETE /v1/metrics/total_traffic': { status: 204, json: null },
    'POST /v1/metrics': { status: 201, json: PER_ROUTE },
    'POST /v1/defaults': {
      json: { created: ['total_traffic', 'totaltraffic'], existing: ['total_traffic_per_route'] },
    },
  });

describe('monitor metrics', () => {
  test.each([[['metrics']], [['metrics', 'list']]])('%j lists them', async (argv) => {
    const { exitCode, stdout, stderr } = await monitor(argv, { aggregator: await aggregator() });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'metric         statistic            period  segment            points  refreshed',
        'total_traffic  count(*)                 1m  -                       3  2026-01-31T10:00:05.250Z',
        'per_route      avg(response_bsize)     10s  section(url.path)       0  not yet',
        '',
      ].join('\n'),
    );
  });

  test('shows how to create the default metrics if there are none', async () => {
    const empty = await FakeAggregator.start({ 'GET /v1/metrics': { json: { metrics: [] } } });
    expect((await monitor(['metrics'], { aggregator: empty })).stdout).toContain('metrics create --default');
    expect((await monitor(['metrics', '--json'], { aggregator: empty })).stdout).toBe('');
  });

  test('prints JSON, one object per line', async () => {
    const { stdout } = await monitor(['metrics', '--json'], { aggregator: await aggregator() });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([TOTAL, PER_ROUTE]);
  });

  test('reports an unknown command and suggests the nearest one', async () => {
    const { exitCode, stderr } = await monitor(['metrics', 'creat']);
    expect(exitCode).toBe(2);
    expect(stderr).toBe('mega-collector: Unknown command "creat". Did you mean create?\n');
  });

  test('meta shows the definition as text and as JSON', async () => {
    const server = await aggregator();
    const { stdout } = await monitor(['metrics', 'meta', 'total_traffic'], { aggregator: server });
    expect(stdout).toMatch(
      /^statistic {5}count\nproperty {6}\*\nperiod {8}1m\nrefresh {7}1m\nstart offset {2}1d$/m,
    );
    expect(stdout).toMatch(/^points {8}3$/m);
    const { stdout: json } = await monitor(['metrics', 'meta', 'total_traffic', '--json'], {
      aggregator: server,
    });
    expect(JSON.parse(json)).toEqual(TOTAL);
  });
});

describe('monitor metrics get', () => {
  test('is a plain table when piped, newest first', async () => {
    const server = await aggregator();
    const { stdout } = await monitor(['metrics', 'get', 'total_traffic', '-n', '3'], { aggregator: server });
    expect(stdout).toBe(
      [
        'time                    value  records',
        '2026-01-31T10:04:00Z        8       12',
        '2026-01-31T10:03:00Z  1234.57       12',
        '2026-01-31T10:01:00Z   0.0123       12',
        '',
      ].join('\n'),
    );
    expect(server.requests.map(({ route, query }) => `${route} ${query}`)).toContain(
      'GET /v1/metrics/total_traffic/points limit=3',
    );
  });

  test('shows the periods that the store cannot compute, with the reason, in get and in meta', async () => {
    const reason = 'value out of range: \u001b[1moverflow';
    const setAside = Array.from({ length: 12 }, (_, at) => ({
      time: `2026-01-31T09:${10 + at}:00Z`,
      reason,
    }));
    const server = await FakeAggregator.start({
      'GET /v1/metrics/total_traffic': { json: { ...TOTAL, setAside } },
      'GET /v1/metrics/total_traffic/points': {
        json: { points: [point(4, 8), { ...point(3, null), count: 0, problem: reason }] },
      },
    });
    const got = await monitor(['metrics', 'get', 'total_traffic'], { aggregator: server });
    expect(got.stdout).toMatch(/^time +value +records +problem\n.* 12\n.* - +0 +value out of range: /);
    expect(got.stdout).not.toContain('\u001b');
    const meta = await monitor(['metrics', 'meta', 'total_traffic'], { aggregator: server });
    expect(meta.stdout).toMatch(/^set aside +2026-01-31T09:10:00Z: value out of range: /m);
    expect(meta.stdout).toMatch(/^set aside +and 2 more$/m);
    expect(meta.stdout).not.toContain('\u001b');
  });

  test('draws the chart in a pipe with --chart', async () => {
    const server = await aggregator();
    const { stdout } = await monitor(['metrics', 'get', 'total_traffic', '--chart'], { aggregator: server });
    expect(stdout).toContain('\ncount(*)\n1234.57 ┤  █\n');
  });

  test('has a chart on a terminal; a missing bucket is a gap', async () => {
    const { stdout } = await monitor(['metrics', 'get', 'total_traffic'], {
      aggregator: await aggregator(),
      columns: 60,
      environment: { NO_COLOR: '1' },
    });
    expect(stdout.slice(stdout.indexOf('count(*)'))).toBe(
      [
        'count(*)',
        '1234.57 ┤  █',
        '        ┤  █',
        '925.926 ┤  █',
        '        ┤  █',
        '617.284 ┤  █',
        '        ┤  █',
        '308.642 ┤  █',
        '        ┤▁ █▁',
        '      0 ┼────',
        '         2026-01-31T10:01:00Z 2026-01-31T10:04:00Z',
        '',
      ].join('\n'),
    );
    expect(stdout).not.toContain('\u001b');
  });

  test('draws a line for each segment, the largest first', async () => {
    const server = await aggregator();
    const options = { aggregator: server, columns: 60, environment: { NO_COLOR: '1' } };
    const { stdout } = await monitor(['metrics', 'get', 'per_route'], options);
    expect(stdout).toContain(
      'time                  segment  value  records\n2026-01-31T10:01:00Z  api          5       12\n',
    );
    expect(stdout.slice(stdout.indexOf('avg('))).toBe(
      [
        'avg(response_bsize)',
        'segment  last 2m  last  most',
        'api      █▅          5    10',
        'img       █          9     9',
        '(empty)  █           -     2',
        '(none)    █          1     1',
        '',
      ].join('\n'),
    );
    await monitor(['metrics', 'get', 'per_route', '--segment', 'a b'], { aggregator: server });
    expect(server.requests.at(-1)?.query).toBe('limit=100&segment=a b');
  });

  test('is never wider than the terminal', async () => {
    const long = 'x'.repeat(200);
    const points = Array.from({ length: 9 }, (_, minute) => [
      point(minute, 3, long),
      point(minute, 4, '日本語'.repeat(40)),
    ]);
    const server = await FakeAggregator.start({
      'GET /v1/metrics/m': {
        json: { ...PER_ROUTE, definition: { ...PER_ROUTE.definition, periodSeconds: 60 } },
      },
      'GET /v1/metrics/m/points': { json: { points: points.flat() } },
    });
    for (const columns of [60, 80, 132]) {
      const { stdout } = await monitor(['metrics', 'get', 'm'], {
        aggregator: server,
        columns,
        environment: { NO_COLOR: '1' },
      });
      for (const line of stdout.split('\n')) {
        const wide = line.length + (line.match(/[日本語]/g)?.length ?? 0);
        expect(wide, line).toBeLessThanOrEqual(columns);
      }
    }
  });

  test('sanitizes hostile segments and times, and accepts hostile periods', async () => {
    const server = await FakeAggregator.start({
      'GET /v1/metrics/m': {
        json: { ...PER_ROUTE, definition: { ...PER_ROUTE.definition, periodSeconds: 1e-9 } },
      },
      'GET /v1/metrics/m/points': {
        json: {
          points: [
            { time: '\u001b]0;x\u0007', segment: '\u001b[2J\u202eevil', value: 1, count: 1 },
            { time: '9999-01-01T00:00:00Z', segment: 'a', value: 1e300, count: 1 },
            { time: '1970-01-01T00:00:00Z', segment: 'a', value: -1e300, count: 1 },
          ],
        },
      },
    });
    const { exitCode, stdout, stderr } = await monitor(['metrics', 'get', 'm'], {
      aggregator: server,
      columns: 60,
      environment: { NO_COLOR: '1' },
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('\\x1b[2J\\u202eevil');
    expect(stdout).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
  });

  test('reports invalid arguments by their names', async () => {
    const { exitCode, stderr } = await monitor(['metrics', 'get', "x'; drop table", '-n', '0']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('ID: expected a lower-case letter');
    expect((await monitor(['metrics', 'get', 'x', '-n', '0'])).stderr).toContain(
      '-n: expected at least 1, found "0"',
    );
    expect((await monitor(['metrics', 'get', 'x', '-n', 'ten'])).stderr).toContain(
      '-n: expected a number, found "ten"',
    );
  });
});

describe('monitor metrics create', () => {
  test('sends what was said, and nothing else', async () => {
    const server = await aggregator();
    const { exitCode, stdout } = await monitor(
      ['metrics', 'create', 'per_route', '-s', 'avg', '-p', 'response_bsize', '--period', '10s'].concat(
        ['--refresh-rate', '60', '--start-offset', '24h', '--segment', 'section(path)'],
        ['--filter-severity', 'warn', '--filter-where', 'a=b=c', '--filter-where', 'x='],
      ),
      { aggregator: server },
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'Created per_route.\n' });
    expect(server.requests[0]?.body).toEqual({
      id: 'per_route',
      statistic: 'avg',
      property: 'response_bsize',
      periodSeconds: 10,
      refreshSeconds: 60,
      startOffsetSeconds: 86_400,
      segment: 'section(path)',
      filter: {
        severity: 'warn',
        where: [
          { property: 'a', value: 'b=c' },
          { property: 'x', value: '' },
        ],
      },
    });
  });

  test.each([
    [['--segment', 'status_code'], 'status_code'],
    [['--segment', 'order.items[0].sku'], 'order.items[0].sku'],
    [['--segment', "['a > b']"], "['a > b']"],
    [['--segment', 'my key'], 'my key'],
    [['--segment', 'true'], 'true'],
    [['--segment', 'duration > 500'], { expression: 'duration > 500' }],
    [['--segment', 'exists user.name'], { expression: 'exists user.name' }],
    [
      ['--segment-where', 'slow = duration>=500', '--segment-where', 'other=true'],
      [
        { name: 'slow', where: 'duration>=500' },
        { name: 'other', where: 'true' },
      ],
    ],
  ])('%j are a property or expressions', async (flags, segment) => {
    const server = await aggregator();
    const { exitCode } = await monitor(['metrics', 'create', 'm', ...flags], { aggregator: server });
    expect(exitCode).toBe(0);
    expect(server.requests[0]?.body).toEqual({ id: 'm', segment });
  });

  test.each([
    [['--segment', 'duration >'], '--segment: expected a value such as "text", 500'],
    [['--segment', 'resource.env == a'], '--segment: a store does not keep resources apart'],
    [['--segment-where', 'slow'], '--segment-where: expected name=expression'],
    [['--segment-where', 'slow=duration'], '--segment-where: expected a comparison'],
    [
      ['--segment-where', 'a=true', '--segment-where', 'a=false'],
      '--segment-where: expected a different name',
    ],
    [['--segment', 'a', '--segment-where', 'a=true'], '--segment and --segment-where cannot be combined'],
  ])('%j are rejected before a request', async (flags, problem) => {
    const { exitCode, stderr } = await monitor(['metrics', 'create', 'm', ...flags]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(problem);
  });

  test('lists segments by expressions, also those of a later version', async () => {
    const listed = (segment: unknown) => ({ ...PER_ROUTE, definition: { ...PER_ROUTE.definition, segment } });
    const server = await FakeAggregator.start({
      'GET /v1/metrics': {
        json: {
          metrics: [
            listed({ expression: 'duration > 500' }),
            listed([
              { name: 'slow', where: 'a > 5' },
              { name: 'fast', where: 'true' },
            ]),
            listed({ later: 1 }),
          ],
        },
      },
    });
    const { stdout } = await monitor(['metrics'], { aggregator: server });
    for (const text of ['duration > 500', 'slow, fast', '{"later":1}']) expect(stdout).toContain(text);
  });

  test('reports a property that no record has, and creates the metric', async () => {
    const unknown = [{ property: 'nosuch', nearest: [], message: 'No record has the attribute nosuch.' }];
    const server = await FakeAggregator.start({
      'POST /v1/metrics': { status: 201, json: { ...PER_ROUTE, unknown } },
    });
    const argv = ['metrics', 'create', 'per_route', '--segment', 'nosuch'];
    const { exitCode, stdout, stderr } = await monitor(argv, { aggregator: server });
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: 'Created per_route.\n',
      stderr: 'mega-collector: No record has the attribute nosuch.\n',
    });
  });

  test('accepts the name with -i, but only one name', async () => {
    const server = await aggregator();
    expect((await monitor(['metrics', 'create', '-i', 'per_route'], { aggregator: server })).exitCode).toBe(
      0,
    );
    expect(server.requests[0]?.body).toEqual({ id: 'per_route' });
    expect((await monitor(['metrics', 'create', 'a', '-i', 'b'])).exitCode).toBe(2);
    expect((await monitor(['metrics', 'create'])).stderr).toContain('ID, or --identifier ID');
  });

  test('--default creates the default metrics, without a name', async () => {
    const server = await aggregator();
    const { stdout } = await monitor(['metrics', 'create', '--default'], { aggregator: server });
    expect(stdout).toBe('Created total_traffic, totaltraffic.\nAlready exist: total_traffic_per_route.\n');
    expect((await monitor(['metrics', 'create', '--default', 'x'])).exitCode).toBe(2);
    expect((await monitor(['metrics', 'create', '--default', '-P', '5'])).exitCode).toBe(2);
  });

  test('tells everything that is wrong, by the names of the flags', async () => {
    const { exitCode, stderr, stdout } = await monitor(
      ['metrics', 'create', 'Bad-Id', '--stat', 'median', '--period', '1.5s', '--end-offset', '-1'].concat([
        '--segment',
        'lower(x)',
        '--filter-severity',
        'bad',
        '--filter-where',
        'nothing',
      ]),
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    for (const line of [
      'ID: expected a lower-case letter, then at most 62 of a-z, 0-9 and _, found "Bad-Id"',
      '--statistic: expected one of count, avg, min, max, stddev, variance, p50, p95, p99, found "median"',
      '--period: expected seconds such as 60, or a duration such as 10s or 1h, found "1.5s"',
      '--end-offset: expected seconds such as 60, or a duration such as 10s or 1h, found "-1"',
      '--segment: expected section(...), or brackets for a name with parentheses, found "lower(...)"',
      '--filter-severity: expected one of trace, debug, info, warn, error, fatal, found "bad"',
      '--filter-where: expected property=value, such as status_code=500, found "nothing"',
    ]) {
      expect(stderr).toContain(line);
    }
  });

  test('also reports problems of the whole definition', async () => {
    const { stderr } = await monitor(['metrics', 'create', 'a', '--stat', 'avg']);
    expect(stderr).toContain('--property: expected a property such as response_bsize');
    const offsets = await monitor(['metrics', 'create', 'a', '--start-offset', '5', '--end-offset', '10']);
    expect(offsets.stderr).toContain('--start-offset: expected more than endOffsetSeconds');
  });

  test('reports a rejection with the message of the aggregator', async () => {
    const server = await FakeAggregator.start({
      'POST /v1/metrics': [
        refused(409, 'There is a metric "a" already.'),
        refused(422, 'The definition cannot work.', [{ path: 'segment', message: 'is \u001b[31mred' }]),
      ],
    });
    const exists = await monitor(['metrics', 'create', 'a'], { aggregator: server });
    expect(exists).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'mega-collector: There is a metric "a" already.\n',
    });
    const invalid = await monitor(['metrics', 'create', 'a'], { aggregator: server });
    expect(invalid.stderr).toContain('The definition cannot work.\n  segment: is \\x1b[31mred\n');
  });
});

test('monitor metrics delete', async () => {
  const server = await aggregator();
  const { exitCode, stdout } = await monitor(['metrics', 'delete', 'total_traffic'], { aggregator: server });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'Deleted total_traffic.\n' });
  const json = await monitor(['metrics', 'delete', 'total_traffic', '--json'], { aggregator: server });
  expect(JSON.parse(json.stdout)).toEqual({ deleted: 'total_traffic' });
});

describe('monitor metrics edit', () => {
  const CHANGES = ['The points are computed again.'];
  const server = () =>
    FakeAggregator.start({
      'GET /v1/metrics/total_traffic': { json: TOTAL },
      'PUT /v1/metrics/total_traffic': { json: { ...TOTAL, changes: CHANGES } },
    });

  test('sends the definition with the values of the flags, and shows the effects', async () => {
    const options = { aggregator: await server() };
    const argv = ['metrics', 'edit', 'total_traffic', '--statistic', 'avg', '--property', 'duration'];
    expect(await monitor(argv, options)).toMatchObject({
      exitCode: 0,
      stdout: `Changed total_traffic.\n${CHANGES[0]}\n`,
    });
    expect(options.aggregator.requests.at(-1)).toMatchObject({
      route: 'PUT /v1/metrics/total_traffic',
      body: { ...TOTAL.definition, statistic: 'avg', property: 'duration' },
    });
    expect(JSON.parse((await monitor([...argv, '--json'], options)).stdout)).toMatchObject({
      changes: CHANGES,
    });
  });

  test('reports a wrong value by its flag, and sends nothing', async () => {
    const options = { aggregator: await server() };
    const wrong = await monitor(['metrics', 'edit', 'total_traffic', '--statistic', 'avrg'], options);
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--statistic') });
    expect(options.aggregator.requests.filter(({ route }) => route.startsWith('PUT'))).toEqual([]);
  });
});
