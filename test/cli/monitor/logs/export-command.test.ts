import { expect, test } from 'vitest';
import { FakeAggregator } from '../fake-aggregator.ts';
import { monitor } from '../monitor-run.ts';

const ROUTE = 'GET /v1/logs/export';
const PARTS = ['{"body":"one"}\n', '{"body":"two"}\n'];

const aggregator = () =>
  FakeAggregator.start({
    [ROUTE]: (response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      for (const part of PARTS) response.write(part);
      response.end();
    },
  });

test('writes what the aggregator sends, unchanged', async () => {
  const exported = await monitor(['export', '--format', 'ndjson'], { aggregator: await aggregator() });
  expect(exported).toEqual({ exitCode: 0, stdout: PARTS.join(''), stderr: '' });
});

test('sends its flags as the query', async () => {
  const server = await aggregator();
  const flags = ['--from', '1h', '-s', 'warn', '-H', 'web-1', '-S', 'shop', '-w', 'status >= 500', '-n', '7'];
  await monitor(['export', 'connection', 'refused', ...flags, '--format', 'csv'], { aggregator: server });
  const [request] = server.requests;
  expect(request?.route).toBe(ROUTE);
  expect(Object.fromEntries(new URLSearchParams(request?.query))).toEqual({
    ...{ from: '1h', severity: 'warn', host: 'web-1', service: 'shop', where: 'status >= 500' },
    ...{ text: 'connection refused', format: 'csv', limit: '7' },
  });
});

test.each([
  [[], 'text'],
  [['--json'], 'ndjson'],
  [['--json', '--format', 'csv'], 'csv'],
])('%j exports the format %s', async (flags, format) => {
  const server = await aggregator();
  await monitor(['export', ...flags], { aggregator: server });
  expect(new URLSearchParams(server.requests[0]?.query).get('format')).toBe(format);
});

test('fails when the connection ends before the export, after it has written what arrived', async () => {
  const server = await FakeAggregator.start({
    [ROUTE]: (response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write(PARTS[0] ?? '', () => response.destroy());
    },
  });
  const { exitCode, stdout, stderr } = await monitor(['export', '--json'], { aggregator: server });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: PARTS[0] });
  expect(stderr).toMatch(/broke|ended|closed|broken/);
});

test('reports a wrong format and a wrong limit by their flags, and sends nothing', async () => {
  const server = await aggregator();
  const { exitCode, stderr } = await monitor(['export', '--format', 'xml', '-n', '0'], {
    aggregator: server,
  });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('--format');
  expect(stderr).toContain('-n');
  expect(server.requests).toEqual([]);
});
