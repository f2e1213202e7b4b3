import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { observeAlerts } from '../../../../src/cli/monitor/alerts/observe-alerts.ts';
import { AggregatorApi } from '../../../../src/cli/monitor/api/aggregator-api.ts';
import { terminalOf } from '../../../../src/cli/monitor/terminal/terminal.ts';
import { capturedIo } from '../../../support/captured-io.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeAggregator, type FakeAnswer, refused } from '../fake-aggregator.ts';
import { alert, PER_ROUTE, status, TOTAL } from './alert-answers.ts';

/** Refreshed once for each answer; then ended. */
const observed = async (
  answers: readonly FakeAnswer[],
  { json = false, columns, rows }: { json?: boolean; columns?: number; rows?: number } = {},
) => {
  const server = await FakeAggregator.start({ 'GET /v1/alerts': answers });
  const { io, stdout, stderr } = capturedIo({ environment: { NO_COLOR: '1' } });
  if (columns !== undefined) Object.assign(io.stdout, { isTTY: true, columns, rows });
  const clock = new FakeClock(Date.UTC(2026, 0, 31, 10, 5));
  const end = new AbortController();
  const connection = { url: server.url, token: undefined, ca: undefined, timeoutMs: 10_000, waitMs: 0 };
  const api = new AggregatorApi(connection, end.signal);
  const options = { api, clock, io, terminal: terminalOf(io), refreshSeconds: 10, json };
  const done = observeAlerts(options, end.signal).catch(() => {});
  for (const _ of answers) {
    await expect.poll(() => clock.waiting).toBe(1);
    await clock.advance(10_000);
  }
  end.abort(new Error('enough'));
  await done;
  return { stdout: stdout(), stderr: stderr(), url: server.url };
};
const alerts = (...list: readonly unknown[]) => ({ json: { alerts: list } });

test('prints a line for each alert, then one for each change, with the time first', async () => {
  const { stdout, stderr, url } = await observed([
    alerts(alert([status('ok')]), alert([], 'fresh')),
    alerts(alert([status('ok', { observed: 9 })]), alert([], 'fresh')),
    alerts(alert([status('firing')])),
    refused(503, 'The store is opening.'),
    refused(503, 'The store is opening.'),
    alerts(alert([status('firing')])),
    alerts(alert([status('ok')])),
  ]);
  const condition = '(avg(total_traffic) > 10 over 2m)';
  expect(stdout).toBe(
    [
      `2026-01-31T10:05:00.000Z totaltraffic ok, observed 11.5 ${condition}`,
      `2026-01-31T10:05:00.000Z fresh not checked, observed - ${condition}`,
      `2026-01-31T10:05:20.000Z totaltraffic firing, observed 11.5 ${condition}`,
      `2026-01-31T10:05:20.000Z fresh gone, observed - ${condition}`,
      `2026-01-31T10:05:30.000Z not reachable, retrying: The aggregator at ${url} cannot answer now: The store is opening.`,
      '2026-01-31T10:05:50.000Z the aggregator is reachable again',
      `2026-01-31T10:06:00.000Z totaltraffic ok, observed 11.5 ${condition}`,
      '',
    ].join('\n'),
  );
  expect(stderr).toBe('');
});

test('prints changes as JSON, and other text on stderr', async () => {
  const { stdout, stderr } = await observed([alerts(PER_ROUTE), (response) => response.destroy(), alerts()], {
    json: true,
  });
  const changes = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(changes[1]).toEqual({
    time: '2026-01-31T10:05:00.000Z',
    alert: 'per_route',
    segment: 'img',
    state: 'firing',
    since: '2026-01-31T10:00:00.000Z',
    observed: 11.5,
    condition: 'avg(total_traffic) > 10 over 2m',
  });
  expect(changes.slice(4).map(({ segment, state }) => [segment, state])).toEqual([
    ['api', 'gone'],
    ['img', 'gone'],
    ['\u001b[1m', 'gone'],
    [null, 'gone'],
  ]);
  expect(stderr).toMatch(
    /Z not reachable, retrying: Cannot reach an aggregator at .*\n.*Z the aggregator is reachable again\n$/,
  );
});

test('redraws a table in place on a terminal and restores the cursor', async () => {
  const { stdout } = await observed([alerts(TOTAL), refused(500, 'oops'), alerts(alert([status('ok')]))], {
    columns: 100,
    rows: 24,
  });
  const [begin, first, second, third] = stdout.split('\u001b[J');
  expect(begin).toBe('\u001b[?25l');
  expect(first).toBe(
    [
      '2026-01-31T10:05:00Z  1 firing, refreshed every 10s; press Ctrl-C to exit',
      '',
      'alert         state   for  observed  condition',
      'totaltraffic  firing   5m      11.5  avg(total_traffic) > 10 over 2m',
      // Four rows up: heading, blank line, titles, one alert.
      '\u001b[4A\r',
    ].join('\n'),
  );
  expect(second).toContain('\nNot reachable, retrying: oops\n');
  expect(second).toContain('totaltraffic  firing');
  expect(third).toContain('none firing');
  expect(stdout.endsWith('\u001b[?25h')).toBe(true);
});

test('draws no more rows than the terminal has', async () => {
  const many = Array.from({ length: 50 }, (_, index) => alert([status('ok')], `alert_${index}`));
  const { stdout } = await observed([alerts(...many), alerts(...many)], { columns: 40, rows: 10 });
  const [heading = '', ...lines] = stripVTControlCharacters(stdout.split('\u001b[J')[1] ?? '').split('\n');
  // The heading takes two of the rows, the cursor one.
  expect(heading.length).toBeGreaterThan(40);
  expect(lines).toHaveLength(8);
  expect(lines.at(-2)).toBe('... 46 more lines');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40);
});

test('shows an alert that cannot be checked, and when it can be checked again', async () => {
  const problem = { reason: 'the disk is gone', since: '2026-01-31T10:02:00.000Z' };
  const blind = { ...alert([status('ok')]), problem };
  const lines = await observed([alerts(blind), alerts(blind), alerts(alert([status('ok')]))]);
  expect(lines.stdout.split('\n').slice(1)).toEqual([
    '2026-01-31T10:05:00.000Z totaltraffic cannot be checked: the disk is gone',
    '2026-01-31T10:05:20.000Z totaltraffic can be checked again, or was deleted',
    '',
  ]);
  const json = await observed([alerts(blind)], { json: true });
  expect(json.stderr).toContain('totaltraffic cannot be checked: the disk is gone');
  const table = await observed([alerts(blind), alerts(TOTAL)], { columns: 100, rows: 40 });
  const [, first = '', second = ''] = table.stdout.split('\u001b[J');
  expect(first).toContain('totaltraffic cannot be checked since ');
  expect(second).not.toContain('cannot be checked');
});
