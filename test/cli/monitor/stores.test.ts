import { expect, onTestFinished, test } from 'vitest';
import type { ApiStore } from '../../../src/aggregator/api/operations/api-store.ts';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { createMonitor } from '../../../src/monitoring/create-monitor.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { servedApi } from '../../aggregator/api/served-api.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { describeEachStore, type OpenStore } from '../../support/stores.ts';
import { monitor, startMonitor } from './monitor-run.ts';

const TOKEN = 'a-token-of-visible-characters';
const PATIENCE = { timeout: 20_000 };

/** A store, its metrics and alerts, and the API before it. */
async function served(openStore: OpenStore) {
  const store = await openStore();
  const kept = createMonitor({
    database: store.database,
    clock: systemClock,
    logger: capturedLogger().logger,
    pager: {
      firing: () => {},
      resolved: () => {},
      open: () => [],
      cannotEvaluate: () => {},
      canEvaluate: () => {},
      unevaluated: () => [],
    },
    holder: crypto.randomUUID(),
  });
  await kept.start();
  onTestFinished(() => kept.stop(AbortSignal.timeout(5000)));
  const search = createLogSearch(store.database, { clock: systemClock, timeoutMs: 15_000 });
  const found: ApiStore = { search, monitor: kept };
  const { url } = await servedApi({ store: () => found, token: TOKEN });
  const write = (objects: readonly object[]) =>
    store.write([
      recordBatch(
        objects.map((object) => `${JSON.stringify({ time: new Date().toISOString(), ...object })}\n`),
        {
          format: 'json',
          observedTimeUnixNano: BigInt(Date.now()) * 1_000_000n,
          resource: new Map([
            ['host.name', 'web-1'],
            ['service.name', 'shop'],
          ]),
        },
      ),
    ]);
  return {
    write,
    options: { aggregator: { url: url('') }, environment: { AGGREGATOR_HTTP_TOKEN: TOKEN, NO_COLOR: '1' } },
  };
}

const request = (path: string, status: number) => ({
  message: `GET ${path} ${status}`,
  level: status >= 500 ? 'error' : 'info',
  'url.path': path,
  'http.response.status_code': status,
});

describeEachStore('monitor', (openStore) => {
  test('searches, counts and follows logs', async () => {
    const { write, options } = await served(openStore);
    await write([request('/api/a', 200), request('/api/b', 500), request('/shop/c', 200)]);
    const bodies = async (...argv: readonly string[]) => {
      const { exitCode, stdout, stderr } = await monitor(['logs', '--json', ...argv], options);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      return stdout.match(/GET [^" ]+ \d+/g);
    };
    expect(await bodies('get', '/API')).toHaveLength(2);
    expect(await bodies('/API/')).toHaveLength(2);
    expect(await bodies('--where', 'status_code=500', '--from', '1h')).toEqual(['GET /api/b 500']);
    expect(await bodies('--severity', 'warn', '--host', 'web-1', '--service', 'shop')).toEqual([
      'GET /api/b 500',
    ]);
    const values = await monitor(['logs', '--values', 'section(path)'], options);
    expect(values.stdout).toBe('section(path)  records\napi                  2\nshop                 1\n');
    const histogram = await monitor(['logs', '--histogram', '--from', '10m', '--interval', '1h'], options);
    expect(histogram.stdout).toMatch(/Z +3$/m);

    const following = startMonitor(['logs', '--follow', '-n', '1', '--where', 'status_code=500'], options);
    await expect.poll(following.stdout, PATIENCE).toContain('GET /api/b 500');
    await write([request('/api/d', 500), request('/api/e', 200)]);
    await expect.poll(following.stdout, PATIENCE).toContain('GET /api/d 500');
    following.send('SIGINT');
    expect(await following.done).toBe(0);
    expect(following.stderr()).toBe('');
    expect(following.stdout().match(/GET \S+/g)).toEqual(['GET /api/b', 'GET /api/d']);
  });

  test('keeps metrics and alerts', async () => {
    const { write, options } = await served(openStore);
    const said = async (...argv: readonly string[]) => {
      const { exitCode, stdout, stderr } = await monitor(argv, options);
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      return stdout;
    };
    expect(await said('metrics', 'create', '--default')).toBe(
      'Created total_traffic, total_traffic_per_route, totaltraffic.\n',
    );
    await said(
      ...['metrics', 'create', 'hits', '--period', '1', '--end-offset', '0', '--segment', 'section(path)'],
      ...['--filter-where', 'status_code=200'],
    );
    await said(
      'alerts',
      'create',
      'many',
      '-m',
      'hits',
      '-s',
      'max',
      '-o',
      '>=',
      '-l',
      '3',
      '-w',
      '1h',
      '-c',
      '1s',
    );
    expect(await said('metrics')).toMatch(/^hits +count\(\*\) +1s +section\((?:url\.)?path\) /m);
    expect(await said('alerts', 'meta', 'many')).toMatch(/^window +1h$/m);

    const watching = startMonitor(['alerts', 'observe', '--refresh-rate', '1'], options);
    await expect.poll(watching.stdout, PATIENCE).toContain(' many ');
    await write([
      request('/api/a', 200),
      request('/api/b', 200),
      request('/api/c', 200),
      request('/x/c', 500),
    ]);
    await expect
      .poll(watching.stdout, PATIENCE)
      .toMatch(/ many\[api\] firing, observed 3 \(max\(hits\) >= 3 over 1h\)$/m);
    watching.send('SIGINT');
    expect(await watching.done).toBe(0);

    expect(await said('metrics', 'get', 'hits')).toMatch(/^\S+Z {2}api +3 +3$/m);
    expect(await said('alerts', 'get', 'many')).toMatch(/^\S+Z api \S+ -> firing, observed 3 \(>= 3\)$/m);
    const needed = await monitor(['metrics', 'delete', 'hits'], options);
    expect(needed.exitCode).toBe(1);
    expect(needed.stderr).toContain('many');
    expect(await said('alerts', 'delete', 'many')).toBe('Deleted many.\n');
    expect(await said('metrics', 'delete', 'hits')).toBe('Deleted hits.\n');
    const gone = await monitor(['metrics', 'get', 'hits'], options);
    expect(gone.exitCode).toBe(1);
    expect(gone.stderr).toContain('hits');
  });

  test('requires the token', async () => {
    const { options } = await served(openStore);
    const { exitCode, stderr } = await monitor(['metrics'], { aggregator: options.aggregator });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('requires a token. Set AGGREGATOR_HTTP_TOKEN');
  });
});
