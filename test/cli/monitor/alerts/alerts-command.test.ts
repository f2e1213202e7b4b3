import { describe, expect, test } from 'vitest';
import { FakeAggregator } from '../fake-aggregator.ts';
import { monitor, startMonitor } from '../monitor-run.ts';
import { alert, DEFINITION, EVENTS, PER_ROUTE, TOTAL } from './alert-answers.ts';

const aggregator = () =>
  FakeAggregator.start({
    'GET /v1/alerts': { json: { alerts: [TOTAL, PER_ROUTE, alert([], 'fresh')] } },
    'GET /v1/alerts/totaltraffic': { json: TOTAL },
    'GET /v1/alerts/per_route': { json: PER_ROUTE },
    'GET /v1/alerts/totaltraffic/history': { json: { events: EVENTS } },
    'GET /v1/alerts/per_route/history': { json: { events: [] } },
    'POST /v1/alerts': { status: 201, json: alert([], 'busy') },
    'DELETE /v1/alerts/totaltraffic': { status: 204, json: null },
  });

describe('monitor alerts', () => {
  test.each([[['alerts']], [['alerts', 'list']]])('%j shows the state of each', async (argv) => {
    const { exitCode, stdout, stderr } = await monitor(argv, { aggregator: await aggregator() });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'alert         state            condition                        checked',
        'totaltraffic  firing           avg(total_traffic) > 10 over 2m  2026-01-31T10:05:00Z',
        'per_route     firing (1 of 4)  avg(total_traffic) > 10 over 2m  2026-01-31T10:05:00Z',
        'fresh         not checked      avg(total_traffic) > 10 over 2m  -',
        '',
      ].join('\n'),
    );
  });

  test('shows an alert that cannot be checked with the reason', async () => {
    const problem = { reason: 'the disk is \u001b[1mgone', since: '2026-01-31T10:02:00.000Z' };
    const blind = { ...TOTAL, problem };
    const server = await FakeAggregator.start({
      'GET /v1/alerts': { json: { alerts: [blind, PER_ROUTE] } },
      'GET /v1/alerts/totaltraffic': { json: blind },
      'GET /v1/alerts/totaltraffic/history': { json: { events: EVENTS } },
    });
    const line = /^totaltraffic cannot be checked since 2026-01-31T10:02:00Z: the disk is .*gone$/m;
    for (const argv of [['alerts'], ['alerts', 'get', 'totaltraffic']]) {
      const { stdout } = await monitor(argv, { aggregator: server });
      expect(stdout).toMatch(line);
      expect(stdout).not.toContain('\u001b');
    }
    const { stdout } = await monitor(['alerts', 'meta', 'totaltraffic'], { aggregator: server });
    expect(stdout).toMatch(/^problem +the disk is .*gone$/m);
  });

  test('list and get show that an alert is silenced, until when, by whom and why', async () => {
    const silence = { until: '2026-01-31T12:00:00.000Z', reason: 'load \u001b[1mtest', by: 'anna' };
    const silenced = { ...TOTAL, silence };
    const server = await FakeAggregator.start({
      'GET /v1/alerts': { json: { alerts: [silenced, PER_ROUTE] } },
      'GET /v1/alerts/totaltraffic': { json: silenced },
      'GET /v1/alerts/totaltraffic/history': { json: { events: EVENTS } },
    });
    for (const argv of [['alerts'], ['alerts', 'list'], ['alerts', 'get', 'totaltraffic']]) {
      const { stdout } = await monitor(argv, { aggregator: server });
      expect(stdout).toMatch(/^totaltraffic is silenced until 2026-01-31T12:00:00Z by anna: load .*test$/m);
      expect(stdout.match(/silenced/g)).toHaveLength(1);
      expect(stdout).not.toContain('\u001b');
    }
  });

  test('silence sends until when, by whom and why, and unsilence ends it', async () => {
    const silence = { until: '2026-01-31T12:00:00.000Z', reason: 'load test', by: 'anna' };
    const server = await FakeAggregator.start({
      'POST /v1/alerts/totaltraffic/silence': { json: silence },
      'DELETE /v1/alerts/totaltraffic/silence': { status: 204, json: null },
    });
    const options = { aggregator: server };
    const flags = ['--until', '2h', '--reason', 'load test', '--by', 'anna'];
    const silenced = await monitor(['alerts', 'silence', 'totaltraffic', ...flags], options);
    expect(silenced).toMatchObject({
      ...{ exitCode: 0, stderr: '' },
      stdout: 'Silenced totaltraffic until 2026-01-31T12:00:00Z.\n',
    });
    const asJson = await monitor(['alerts', 'silence', 'totaltraffic', ...flags, '--json'], options);
    expect(JSON.parse(asJson.stdout)).toEqual(silence);
    expect(server.requests[0]?.body).toEqual({ until: '2h', reason: 'load test', by: 'anna' });
    const ended = await monitor(['alerts', 'unsilence', 'totaltraffic'], options);
    expect(ended).toMatchObject({ exitCode: 0, stdout: 'Ended the silence of totaltraffic.\n' });
    expect(server.requests.at(-1)?.route).toBe('DELETE /v1/alerts/totaltraffic/silence');
  });

  test('silence needs an end, and reports a wrong one by its flag', async () => {
    const server = await FakeAggregator.start({});
    const options = { aggregator: server };
    expect(await monitor(['alerts', 'silence', 'totaltraffic'], options)).toMatchObject({ exitCode: 2 });
    const wrong = await monitor(['alerts', 'silence', 'totaltraffic', '--until', 'tomorrow'], options);
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--until') });
    expect(server.requests).toEqual([]);
  });

  test('edit sends the definition with the values of the flags, and shows the effects', async () => {
    const changes = ['The states of the alert begin anew.'];
    const server = await FakeAggregator.start({
      'GET /v1/alerts/totaltraffic': { json: TOTAL },
      'PUT /v1/alerts/totaltraffic': { json: { ...TOTAL, changes } },
    });
    const edited = await monitor(['alerts', 'edit', 'totaltraffic', '--level', '20', '--window', '5m'], {
      aggregator: server,
    });
    expect(edited).toMatchObject({ exitCode: 0, stdout: `Changed totaltraffic.\n${changes[0]}\n` });
    expect(server.requests.at(-1)).toMatchObject({
      route: 'PUT /v1/alerts/totaltraffic',
      body: { ...DEFINITION, level: 20, windowSeconds: 300 },
    });
  });

  test('colours states on a terminal, except with NO_COLOR', async () => {
    const server = await aggregator();
    const coloured = await monitor(['alerts'], { aggregator: server, columns: 100 });
    expect(coloured.stdout).toContain('\u001b[31mfiring\u001b[39m');
    const plain = { aggregator: server, columns: 100, environment: { NO_COLOR: '1' } };
    expect((await monitor(['alerts'], plain)).stdout).not.toContain('\u001b');
    const dumb = { aggregator: server, columns: 100, environment: { TERM: 'dumb' } };
    expect((await monitor(['alerts'], dumb)).stdout).not.toContain('\u001b');
  });

  test('get shows states, then changes, newest first', async () => {
    const server = await aggregator();
    const { stdout } = await monitor(['alerts', 'get', 'totaltraffic', '-n', '5'], { aggregator: server });
    expect(stdout).toBe(
      [
        'totaltraffic: avg(total_traffic) > 10 over 2m',
        '',
        'state   since                 observed  checked',
        'firing  2026-01-31T10:00:00Z      11.5  2026-01-31T10:05:00Z',
        '',
        '2026-01-31T10:00:00.120Z ok -> firing, observed 11.5 (> 10)',
        '2026-01-31T09:00:00.000Z no-data -> ok, observed - (> 10)',
        '',
      ].join('\n'),
    );
    expect(server.requests.at(-1)?.query).toBe('limit=5');
    const { stdout: json } = await monitor(['alerts', 'get', 'totaltraffic', '--json'], {
      aggregator: server,
    });
    expect(JSON.parse(json)).toEqual({ ...TOTAL, events: EVENTS });
  });

  test('get sanitizes the names of segments', async () => {
    const { stdout } = await monitor(['alerts', 'get', 'per_route'], { aggregator: await aggregator() });
    expect(stdout).toContain('\n\\x1b[1m  pending  ');
    expect(stdout).toContain('\n(none)   no-data  ');
    expect(stdout).toContain('No state changes yet.\n');
  });

  test('meta shows the definition, also of a later version', async () => {
    const later = { ...TOTAL, definition: { ...DEFINITION, muteSeconds: 90, tags: { a: 1 } } };
    const server = await FakeAggregator.start({ 'GET /v1/alerts/totaltraffic': { json: later } });
    const { stdout } = await monitor(['alerts', 'meta', 'totaltraffic'], { aggregator: server });
    expect(stdout).toMatch(
      /^window {6}2m\nfor {9}0s\ncheck {7}1s\nno data {5}no-data\nnotify {6}true\nmute {8}1m30s$/m,
    );
    expect(stdout).toContain('tags        {"a":1}');
  });

  test('create sends the values of the flags', async () => {
    const server = await aggregator();
    const { exitCode, stdout } = await monitor(
      ['alerts', 'create', 'busy', '--metric', 'total_traffic', '--op', '<=', '--level', '-2.5'].concat(
        ['--window', '120s', '--for', '0', '--check', '1s', '--no-data', 'keep', '--no-notify'],
        ['--fill-missing'],
      ),
      { aggregator: server },
    );
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'Created busy: avg(total_traffic) > 10 over 2m.\n',
    });
    expect(server.requests[0]?.body).toEqual({
      id: 'busy',
      metric: 'total_traffic',
      comparison: '<=',
      level: -2.5,
      windowSeconds: 120,
      forSeconds: 0,
      checkSeconds: 1,
      noData: 'keep',
      fillMissing: true,
      notify: false,
    });
    await monitor(['alerts', 'create', 'busy', '-m', 'm', '-l', '1'], { aggregator: server });
    expect(server.requests[1]?.body).toEqual({ id: 'busy', metric: 'm', level: 1 });
  });

  test('create reports all problems by the names of the flags', async () => {
    const { exitCode, stderr } = await monitor([
      'alerts',
      'create',
      'busy',
      '--op',
      '=>',
      '--level',
      'ten',
      '--window',
      '0',
      '--no-data',
      'maybe',
    ]);
    expect(exitCode).toBe(2);
    for (const line of [
      '--metric: expected a text, found nothing',
      '--comparison: expected one of >, >=, <, <=, ==, !=, found "=>"',
      '--level: expected a number, found "ten"',
      '--window: expected at least 1, found "0"',
      '--no-data: expected one of no-data, ok, firing, keep, found "maybe"',
    ]) {
      expect(stderr).toContain(line);
    }
  });

  test('delete', async () => {
    const server = await aggregator();
    expect((await monitor(['alerts', 'delete', 'totaltraffic'], { aggregator: server })).stdout).toBe(
      'Deleted totaltraffic.\n',
    );
  });
});

describe('monitor alerts observe', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it with exit code 0', async (signal) => {
    const server = await aggregator();
    const { stdout, send, done } = startMonitor(['alerts', 'observe'], { aggregator: server, columns: 80 });
    await expect.poll(stdout, { timeout: 20_000 }).toContain('firing');
    send(signal);
    expect(await done).toBe(0);
    expect(stdout().endsWith('\u001b[?25h')).toBe(true);
  });

  test('an aggregator that was never reachable ends it, and the cursor is unchanged', async () => {
    const argv = ['alerts', 'observe', '--url', 'http://127.0.0.1:1'];
    const { exitCode, stdout, stderr } = await monitor(argv, { columns: 80 });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('Cannot reach an aggregator at http://127.0.0.1:1 (ECONNREFUSED). Start one');
  });

  test('reports a wrong refresh interval by its flag', async () => {
    expect((await monitor(['alerts', 'observe', '-r', '0'])).stderr).toContain(
      '--refresh: expected at least 1',
    );
  });
});
