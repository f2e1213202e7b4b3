import { expect, onTestFinished, test, vi } from 'vitest';
import type { ApiStore } from '../../../src/aggregator/api/operations/api-store.ts';
import { STORE_OPERATIONS } from '../../../src/aggregator/api/operations/operations.ts';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import {
  histogram,
  type LogEntry,
  searchPage,
  valueCounts,
} from '../../../src/logstore/logs/log-requests.ts';
import { createMonitor } from '../../../src/monitoring/create-monitor.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { describeEachStore, type OpenStore } from '../../support/stores.ts';
import { openEventStream } from './event-stream.ts';
import { servedApi } from './served-api.ts';

/** A line of an access log, `secondsAgo`. */
function accessLine(path: string, status: number, secondsAgo: number): string {
  const [, day, month, year, time] =
    /^\w+, (\d+) (\w+) (\d+) (\S+) GMT$/.exec(new Date(Date.now() - secondsAgo * 1000).toUTCString()) ?? [];
  return `203.0.113.9 - - [${day}/${month}/${year}:${time} +0000] "GET ${path} HTTP/1.1" ${status} 123 "-" "curl"\n`;
}

async function served(openStore: OpenStore) {
  const store = await openStore();
  const monitor = createMonitor({
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
  await monitor.start();
  onTestFinished(() => monitor.stop(AbortSignal.timeout(5000)));
  const found: ApiStore = {
    search: createLogSearch(store.database, { clock: systemClock, timeoutMs: 15_000 }),
    monitor,
  };
  const api = await servedApi({ store: () => found });
  const write = (lines: readonly string[]) =>
    store.write([
      recordBatch(lines, {
        format: 'combined',
        observedTimeUnixNano: BigInt(Date.now()) * 1_000_000n,
        resource: new Map([
          ['host.name', 'web-1'],
          ['service.name', 'shop'],
          ['log.file.path', '/var/log/access.log'],
        ]),
      }),
    ]);
  return { ...api, write };
}

/** What people have tried on databases, and what databases cannot hold. */
const HOSTILE = [
  "'; drop table log_records; --",
  "' or '1'='1",
  '" or 1=1 --',
  "\\'; select 1; --",
  '$1 $2 $$ $tag$',
  '%',
  '_',
  '\\',
  '{1}',
  "x') union select 1 --",
  '/* */ -- ;',
  '日本\u{1f600}\u202e',
  '\u0001\u007f\n\r\t',
  'nan',
  'null',
  '__proto__',
  '9'.repeat(400),
  '-1e309',
];

describeEachStore('the API', (openStore) => {
  test('stored records are searched, counted and grouped', async () => {
    const { ask, write } = await served(openStore);
    await write([
      accessLine('/api/a', 200, 50),
      accessLine('/api/b', 500, 40),
      accessLine('/shop/c?x=1', 500, 30),
      accessLine('/shop/d', 404, 20),
    ]);
    const found = await ask('/v1/logs?from=10m&where=status_code=500&host=web-1&service=shop&text=get');
    expect(found.status).toBe(200);
    const page = searchPage.parse(found.body);
    expect(page.entries.map(({ attributes }) => attributes['url.path'])).toEqual(['/shop/c', '/api/b']);
    expect(page.entries[0]).toMatchObject({
      host: 'web-1',
      service: 'shop',
      source: '/var/log/access.log',
      format: 'combined',
    });
    const bars = histogram.parse((await ask('/v1/logs/histogram?from=10m&intervalSeconds=60')).body);
    expect(bars).toMatchObject({ intervalSeconds: 60, total: 4 });
    const values = valueCounts.parse((await ask('/v1/logs/values?from=10m&property=section(url.path)')).body);
    expect(values.values).toEqual(
      expect.arrayContaining([
        { value: 'api', count: 2 },
        { value: 'shop', count: 2 },
      ]),
    );
  });

  test('a property that no record has is reported, and a metric of it is created', async () => {
    const { ask, post, write } = await served(openStore);
    await write([accessLine('/api/a', 200, 50)]);
    const message = 'No record has the attribute url.qery; did you mean url.query?';
    const unknown = [{ property: 'url.qery', nearest: ['url.query'], message }];
    await write([accessLine('/api/a?x=1', 200, 50)]);
    for (const path of ['?where=url.qery=1', '/histogram?where=url.qery=1', '/values?property=url.qery']) {
      const { status, body } = await ask(`/v1/logs${path}`);
      expect({ status, body }).toMatchObject({ status: 200, body: { unknown } });
    }
    const created = await post('/v1/metrics', { id: 'odd', segment: 'url.qery' });
    expect(created).toMatchObject({ status: 201, body: { unknown } });
    const other = await post('/v1/metrics', { id: 'even', segment: 'url.query' });
    expect(other.body).not.toHaveProperty('unknown');
  });

  test('consecutive pages contain every record once', async () => {
    const { ask, write } = await served(openStore);
    await write(Array.from({ length: 25 }, (_, at) => accessLine(`/p/${at}`, 200, 10)));
    const paths: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = searchPage.parse((await ask(`/v1/logs?limit=7${query}`)).body);
      paths.push(...page.entries.map(({ attributes }) => attributes['url.path']));
      cursor = page.next;
    }
    expect(new Set(paths).size).toBe(25);
    expect(paths).toHaveLength(25);
    const other = await ask('/v1/logs?cursor=none-of-ours');
    expect(other.status).toBe(400);
    expect(other.body).toMatchObject({ error: { problems: [{ path: 'cursor' }] } });
  });

  test('newly stored records are followed, also after a reconnect', async () => {
    const { url, write } = await served(openStore);
    await write([accessLine('/old', 200, 5)]);
    const stream = await openEventStream(url('/v1/logs/tail?where=status_code=500'));
    await vi.waitFor(() => expect(stream.lastId).toBeDefined(), 20_000);
    await write([accessLine('/new', 200, 4), accessLine('/broken', 500, 4)]);
    const paths = () => stream.events.map(({ data }) => (data as LogEntry).attributes['url.path']);
    await vi.waitFor(() => expect(paths()).toEqual(['/broken']), 20_000);
    stream.close();
    await write([accessLine('/later', 500, 3)]);
    const again = await openEventStream(url('/v1/logs/tail'), { 'last-event-id': stream.lastId ?? '' });
    await vi.waitFor(
      () =>
        expect(again.events.map(({ data }) => (data as LogEntry).attributes['url.path'])).toEqual(['/later']),
      20_000,
    );
  });

  test('metrics and alerts are created, listed, distinguished and deleted', async () => {
    const { ask, post, write } = await served(openStore);
    expect((await post('/v1/defaults', {})).body).toEqual({
      created: ['total_traffic', 'total_traffic_per_route', 'totaltraffic'],
      existing: [],
    });
    expect((await ask('/v1/defaults', { method: 'POST' })).body).toMatchObject({ created: [] });
    const created = await post('/v1/metrics', { id: 'hits', periodSeconds: 1, endOffsetSeconds: 0 });
    expect(created).toMatchObject({ status: 201, body: { definition: { id: 'hits', statistic: 'count' } } });
    expect((await post('/v1/metrics', { id: 'hits' })).status).toBe(409);
    expect((await post('/v1/alerts', { id: 'many', metric: 'nothing', level: 1 })).status).toBe(422);
    expect((await post('/v1/alerts', { id: 'many', metric: 'hits', level: 1 })).status).toBe(201);
    expect((await post('/v1/log-groups', { id: 'shop', expression: 'status_code == 200' })).status).toBe(201);
    expect((await ask('/v1/metrics/hits', { method: 'DELETE' })).status).toBe(409);
    await write([accessLine('/a', 200, 3), accessLine('/b', 200, 3)]);
    await vi.waitFor(async () => {
      const { body } = await ask('/v1/metrics/hits/points?limit=100');
      expect((body as { points: { count: number }[] }).points.some(({ count }) => count > 0)).toBe(true);
    }, 20_000);
    for (const { path, answer, method } of STORE_OPERATIONS) {
      if (method !== 'GET' || answer === undefined || typeof answer === 'string') continue;
      const id = path.startsWith('/v1/alerts') ? 'many' : path.startsWith('/v1/log-groups') ? 'shop' : 'hits';
      const [entry] = searchPage.parse((await ask('/v1/logs?limit=1')).body).entries;
      const place = `?stream=${entry?.stream}&position=${entry?.position}`;
      const query = path.endsWith('values') ? '?property=body' : path.endsWith('context') ? place : '';
      const filled = path
        .replace('{id}', id)
        .replace('{stream}', entry?.stream ?? '')
        .replace('{position}', String(entry?.position));
      const found = await ask(`${filled}${query}`);
      expect(found.status, path).toBe(200);
      expect(answer.parse(found.body), path).toEqual(found.body);
    }
    expect((await ask('/v1/alerts/many', { method: 'DELETE' })).status).toBe(204);
    expect((await ask('/v1/metrics/hits', { method: 'DELETE' })).status).toBe(204);
    for (const path of [
      '/v1/metrics/hits',
      '/v1/metrics/hits/points',
      '/v1/alerts/many',
      '/v1/alerts/many/history',
    ]) {
      expect((await ask(path)).status, path).toBe(404);
    }
  });

  test('no input reaches the store except as a value', { timeout: 120_000 }, async () => {
    const { ask, post, write, lines } = await served(openStore);
    await write([accessLine('/a', 200, 5)]);
    for (const [at, text] of HOSTILE.entries()) {
      const said = encodeURIComponent(text);
      const answers = [
        ...['text', 'host', 'service', 'severity', 'cursor', 'from', 'limit'].map((name) =>
          ask(`/v1/logs?${name}=${said}`),
        ),
        ask(`/v1/logs?where=status_code=${said}`),
        ask(`/v1/logs?where=time=${said}`),
        ask(`/v1/logs?where=stream=${said}`),
        ask(`/v1/logs?where=some.attribute=${said}`),
        ask(`/v1/logs?where=${said}=1`),
        ask(`/v1/logs/values?property=${said}&text=${said}`),
        ask(`/v1/logs/histogram?host=${said}&intervalSeconds=${said}`),
        ask('/v1/logs/tail', { headers: { 'last-event-id': said.slice(0, 1000) } }),
        ask(`/v1/metrics/${said}`),
        ask(`/v1/metrics/total/points?segment=${said}`),
        post('/v1/metrics', { id: text, property: text, segment: text }),
        post('/v1/metrics', {
          id: `section_${at}`,
          filter: { where: [{ property: `section(${text})`, value: '' }] },
        }),
        post('/v1/metrics', {
          id: `metric_${at}`,
          filter: { text, host: text, where: [{ property: 'status_code', value: text }] },
        }),
      ];
      for (const { status, body } of await Promise.all(answers)) {
        expect([200, 201, 400, 404], `${text}: ${JSON.stringify(body)}`).toContain(status);
      }
    }
    for (const [at, text] of HOSTILE.entries()) {
      const { body } = await ask(`/v1/metrics/metric_${at}`);
      expect(body).toMatchObject({ definition: { filter: { text, host: text } } });
    }
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
    expect(searchPage.parse((await ask('/v1/logs')).body).entries).toHaveLength(1);
  });
});
