import { expect, test } from 'vitest';
import { freePorts } from '../../../testkit/free-ports.ts';
import { FakeAggregator } from './fake-aggregator.ts';
import { logEntry } from './log-entry.ts';
import { monitor, startMonitor } from './monitor-run.ts';

const page = (...entries: readonly unknown[]) => ({ json: { entries, next: null } });

test('waits for an aggregator on this machine that starts after the command', async () => {
  const [port = 0] = await freePorts(1);
  const aggregator = new FakeAggregator({ 'GET /v1/logs': page(logEntry(1)) });
  const running = startMonitor(['logs', '--wait', '1m', '--url', `http://127.0.0.1:${port}`]);
  await aggregator.listen(port);
  try {
    expect(await running.done).toBe(0);
    expect(running.stdout()).toContain('record 1');
  } finally {
    await aggregator.close();
  }
});

test('waits for the first records of an empty store on this machine', async () => {
  const aggregator = await FakeAggregator.start({
    'GET /v1/logs': [page(), page(), page(logEntry(1))],
  });
  const { stdout } = await monitor(['logs', '--wait', '1m'], { aggregator });
  expect(stdout).toContain('record 1');
});

test('reports an empty store and what to do', async () => {
  const aggregator = await FakeAggregator.start({ 'GET /v1/logs': page() });
  const { exitCode, stdout, stderr } = await monitor(['logs'], { aggregator });
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  expect(stderr).toContain('The store is empty.');
  expect(stderr).toContain("mega-collector collector --tail '/var/log/*.log'");
});

test.each([[['logs', 'text']], [['logs', '--values', 'status_code']], [['logs', '--histogram']]])(
  'reports that no records match: %j',
  async (argv) => {
    const aggregator = await FakeAggregator.start({
      'GET /v1/logs': argv[1] === 'text' ? [page(), page(logEntry(1))] : page(logEntry(1)),
      'GET /v1/logs/values': { json: { values: [] } },
      'GET /v1/logs/histogram': { json: { bars: [], total: 0, intervalSeconds: 60 } },
    });
    const { exitCode, stdout, stderr } = await monitor(argv, { aggregator });
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: 'No records match.\n' });
  },
);

test('prints nothing on standard error for an empty JSON answer', async () => {
  const aggregator = await FakeAggregator.start({ 'GET /v1/logs': page() });
  expect(await monitor(['logs', '--json'], { aggregator })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});
