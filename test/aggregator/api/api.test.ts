import { describe, expect, test, vi } from 'vitest';
import { errorBody } from '../../../src/aggregator/api/openapi-components.ts';
import {
  DESCRIPTION_OPERATIONS,
  OPERATIONS,
  STORE_OPERATIONS,
} from '../../../src/aggregator/api/operations/operations.ts';
import { CursorError, type LogSearch } from '../../../src/logstore/logs/log-search.ts';
import { SqlError, type SqlErrorKind } from '../../../src/logstore/sql/sql-database.ts';
import { MonitorError, type MonitorErrorKind } from '../../../src/monitoring/monitor.ts';
import { ENTRY, fakeStore } from './fake-store.ts';
import { type ApiAnswer, servedApi } from './served-api.ts';

/** A body that is good for each operation that takes one. */
const BODIES: Readonly<Record<string, unknown>> = {
  createMetric: { id: 'requests' },
  createAlert: { id: 'too_many', metric: 'requests', level: 10 },
  createLogGroup: { id: 'checkout', expression: 'status_code >= 500' },
  updateMetric: { id: 'requests' },
  updateAlert: { id: 'requests', metric: 'requests', level: 10 },
  updateLogGroup: { id: 'requests', expression: 'status_code >= 500' },
  previewMetric: { definition: { id: 'requests' }, from: '1h' },
  previewAlert: { definition: { id: 'too_many', metric: 'requests', level: 10 } },
  silenceAlert: { until: '2h' },
};
const STREAM = '0197c0de00007000800000000000000a';
const QUERIES: Readonly<Record<string, string>> = {
  countValues: '?property=status_code',
  listContext: `?stream=${STREAM}&position=4096`,
};

function problems({ body }: ApiAnswer): Readonly<Record<string, string>> {
  const { error } = errorBody.parse(body);
  return Object.fromEntries((error.problems ?? []).map(({ path, message }) => [path, message]));
}

describe('each operation', () => {
  const answering = [...STORE_OPERATIONS, ...DESCRIPTION_OPERATIONS].filter(
    ({ answer }) => typeof answer !== 'string',
  );

  test.each(answering.map((operation) => [operation.id, operation] as const))(
    '%s answers what its schema says',
    async (id, { method, path, status, answer }) => {
      const { ask } = await servedApi();
      const body = BODIES[id];
      const place = path
        .replace('{id}', 'requests')
        .replace('{stream}', STREAM)
        .replace('{position}', '4096');
      const found = await ask(place + (QUERIES[id] ?? ''), {
        method,
        ...(body !== undefined && {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      });
      expect(found.status).toBe(status);
      if (answer === undefined || typeof answer === 'string') {
        expect(found.body).toBeUndefined();
        return;
      }
      expect(found.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(answer.parse(found.body)).toEqual(found.body);
    },
  );

  test('has one path and a unique id', () => {
    expect(new Set(OPERATIONS.map(({ method, path }) => `${method} ${path}`)).size).toBe(OPERATIONS.length);
    expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
  });
});

describe('a valid request reaches the store', () => {
  test('a search', async () => {
    const { ask, store } = await servedApi();
    const query = new URLSearchParams([
      ['from', '24h'],
      ['to', '2026-01-31T10:00:00Z'],
      ['text', 'out of memory'],
      ['severity', 'warn'],
      ['host', 'web-1'],
      ['service', 'shop'],
      ['where', 'status_code=500'],
      ['where', 'section(url.path)=a=b&c'],
      ['limit', '7'],
      ['cursor', 'xyz'],
    ]);
    expect((await ask(`/v1/logs?${query.toString()}`)).body).toEqual({ entries: [ENTRY], next: 'further' });
    expect(store.asked).toEqual([
      [
        'search',
        {
          from: '24h',
          to: '2026-01-31T10:00:00Z',
          text: 'out of memory',
          severity: 'warn',
          host: 'web-1',
          service: 'shop',
          where: [
            { property: 'status_code', value: '500' },
            { property: 'section(url.path)', value: 'a=b&c' },
          ],
          limit: 7,
          cursor: 'xyz',
        },
      ],
    ]);
  });

  test('defaults', async () => {
    const { ask, post, store } = await servedApi();
    await ask('/v1/logs');
    await ask('/v1/logs/histogram?intervalSeconds=60');
    await ask('/v1/logs/values?property=status_code');
    await ask('/v1/metrics/requests/points?segment=');
    await ask('/v1/alerts/too_many/history');
    await post('/v1/metrics', { id: 'requests', segment: 'request_route' });
    expect(store.asked).toEqual([
      ['search', { limit: 100 }],
      ['histogram', { intervalSeconds: 60 }],
      ['values', { property: 'status_code', limit: 20 }],
      ['points', 'requests', { limit: 100, segment: '' }],
      ['alertHistory', 'too_many', 100],
      [
        'createMetric',
        {
          id: 'requests',
          statistic: 'count',
          property: '*',
          segment: 'request_route',
          periodSeconds: 60,
          refreshSeconds: 60,
          startOffsetSeconds: 86_400,
          endOffsetSeconds: 60,
        },
      ],
      ['unknown', ['request_route']],
    ]);
  });

  test('text in any script, and a plus for a blank', async () => {
    const { ask, store } = await servedApi();
    await ask(`/v1/logs?text=${encodeURIComponent('日本 100%')}&host=a+b%2B`);
    expect(store.asked[0]).toEqual(['search', { text: '日本 100%', host: 'a b+', limit: 100 }]);
  });
});

describe('an invalid request is answered with all of its problems', () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ['/v1/logs?limit=0', { limit: 'expected at least 1' }],
    ['/v1/logs?limit=1e3', { limit: 'expected a number, found a text' }],
    ['/v1/logs?limit=', { limit: 'expected a number, found a text' }],
    ['/v1/logs?limit=1.5', { limit: 'expected a number, found a text' }],
    ['/v1/logs?limit=0x10', { limit: 'expected a number, found a text' }],
    ['/v1/logs?limt=5', { limt: 'is not a known key; did you mean "limit"?' }],
    ['/v1/logs?limit=5&limit=6', { limit: 'expected once, found more than once' }],
    [
      '/v1/logs?where=status_code',
      {
        'where[0].expression': expect.stringContaining('expected a comparison (==, !=,') as string,
      },
    ],
    [
      '/v1/logs?severity=bad&from=tomorrow',
      {
        severity: 'expected one of trace, debug, info, warn, error, fatal',
        from: 'expected a time such as 2026-01-31T10:00:00Z, or a duration ago such as 15m',
      },
    ],
    ['/v1/logs?__proto__=1', { ['__proto__']: 'is not a known key' }],
    ['/v1/logs?constructor=1', { constructor: 'is not a known key' }],
    ['/v1/logs?text=%00', { text: 'expected text without U+0000 and unpaired surrogates' }],
    ['/v1/logs?text=%zz', { text: 'expected percent-encoded UTF-8' }],
    ['/v1/logs?text=%ff', { text: 'expected percent-encoded UTF-8' }],
    ['/v1/logs?%', { '%': 'expected percent-encoded UTF-8' }],
    ['/v1/logs/values', { property: 'expected a text, found nothing' }],
    ['/v1/metrics?limit=5', { limit: 'is not a known key' }],
    ['/v1/metrics/%ff', { id: 'expected percent-encoded UTF-8' }],
    [
      '/v1/metrics/..%2f..%2fetc/points?limit=0',
      {
        id: 'expected a lower-case letter, then at most 62 of a-z, 0-9 and _',
        limit: 'expected at least 1',
      },
    ],
  ])('%s', async (path, expected) => {
    const { ask, store } = await servedApi();
    const answer = await ask(path);
    expect(answer.status).toBe(400);
    expect(problems(answer)).toEqual(expected);
    expect(store.asked).toEqual([]);
  });

  test.each<[unknown, Readonly<Record<string, string>>]>([
    [{}, { id: 'expected a text, found nothing' }],
    [[], { '': 'expected an object, found a list' }],
    ['null', { '': 'expected an object, found null' }],
    [{ id: 'x', peridSeconds: 1 }, { peridSeconds: 'is not a known key; did you mean "periodSeconds"?' }],
    [{ id: 'x', filter: { txt: 'a' } }, { 'filter.txt': 'is not a known key; did you mean "text"?' }],
    ['{"id": "x", "__proto__": {"a": 1}}', { ['__proto__']: 'is not a known key' }],
    [{ id: 'x', periodSeconds: '60' }, { periodSeconds: 'expected a number, found a text' }],
    [
      '{"id": "x", "filter": {"text": "\\ud800"}}',
      { 'filter.text': 'expected text without U+0000 and unpaired surrogates' },
    ],
    [
      { id: 'x', statistic: 'avg' },
      { property: 'expected a property such as response_bsize: all records (*) can only be counted' },
    ],
  ])('a metric %j', async (body, expected) => {
    const { post, store } = await servedApi();
    const answer = await post('/v1/metrics', body);
    expect(answer.status).toBe(400);
    expect(problems(answer)).toEqual(expected);
    expect(store.asked).toEqual([]);
  });

  test('without the huge values of the request', async () => {
    const { ask, post } = await servedApi();
    const huge = 'x'.repeat(4000);
    for (const answer of [
      await ask(`/v1/logs?${huge}=1&severity=${huge}&where=${huge}%20=1`),
      await post('/v1/metrics', { id: huge, [huge]: huge, segment: `${huge}(`, statistic: huge }),
    ]) {
      expect(answer.status).toBe(400);
      expect(JSON.stringify(answer.body).length).toBeLessThan(2000);
    }
  });

  test('with a limited number of problems', async () => {
    const { post } = await servedApi();
    const keys = Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`key${at}`, 1]));
    const answer = await post('/v1/metrics', { id: 'x', ...keys });
    expect(Object.keys(problems(answer))).toHaveLength(20);
    expect(errorBody.parse(answer.body).error.message).toBe('The request has 3000 problems.');
  });
});

describe('an error of the store', () => {
  const failing = (error: Error) => {
    const store = fakeStore({ search: () => Promise.reject(error) }, { metric: () => Promise.reject(error) });
    return servedApi({ store: () => store });
  };

  test.each<[SqlErrorKind, number, string, string | null]>([
    ['timeout', 504, 'timeout', null],
    ['busy', 503, 'busy', '1'],
    ['unavailable', 503, 'unavailable', '5'],
    ['constraint', 409, 'conflict', null],
    ['statement', 500, 'internal', null],
  ])('%s is %i', async (kind, status, code, retryAfter) => {
    const { ask } = await failing(new SqlError(kind, 'The reason.'));
    const answer = await ask('/v1/logs');
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error: { code } });
    expect(answer.headers.get('retry-after')).toBe(retryAfter);
  });

  test.each<[MonitorErrorKind, number]>([
    ['not-found', 404],
    ['exists', 409],
    ['in-use', 409],
    ['invalid', 422],
  ])('%s is %i', async (kind, status) => {
    const { ask } = await failing(new MonitorError(kind, 'There is no metric requests.'));
    const answer = await ask('/v1/metrics/requests');
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ error: { code: kind, message: 'There is no metric requests.' } });
  });

  test('about the cursor is a client error', async () => {
    const { ask } = await failing(new CursorError('expected a cursor of this search'));
    const answer = await ask('/v1/logs?cursor=abc');
    expect(answer.status).toBe(400);
    expect(problems(answer)).toEqual({ cursor: 'expected a cursor of this search' });
  });

  test('that is an internal error is logged, and its reason is not returned', async () => {
    const { ask, lines } = await failing(new TypeError('secret of the house'));
    const answer = await ask('/v1/logs');
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 50, operation: 'searchLogs', err: expect.anything() }),
    );
  });
});

test('without a store, the error names the variable', async () => {
  const { ask } = await servedApi({ store: () => undefined });
  const answer = await ask('/v1/logs');
  expect(answer.status).toBe(404);
  expect(answer.body).toMatchObject({
    error: { code: 'no-store', message: expect.stringContaining('AGGREGATOR_DUCKDB_CONFIGURATION') },
  });
  expect((await ask('/v1/openapi.json')).status).toBe(200);
});

test('an unavailable store is reported with the reason, and may be queried again', async () => {
  let isStarting = true;
  const there = fakeStore();
  const { ask } = await servedApi({
    store: () => (isStarting ? { unavailable: 'The store is starting.' } : there),
  });
  const answer = await ask('/v1/logs');
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(answer.body).toEqual({ error: { code: 'unavailable', message: 'The store is starting.' } });
  isStarting = false;
  expect((await ask('/v1/logs')).status).toBe(200);
});

test('eight queries run at once, 32 wait, and the others are rejected', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let running = 0;
  let most = 0;
  const search: LogSearch['search'] = async () => {
    most = Math.max(most, ++running);
    await held;
    running--;
    return { entries: [], next: null };
  };
  const store = fakeStore({ search });
  const { ask } = await servedApi({ store: () => store });
  const answers: ApiAnswer[] = [];
  const asked = Array.from({ length: 60 }, async () => answers.push(await ask('/v1/logs')));
  await vi.waitFor(() => expect(answers).toHaveLength(20), 20_000);
  for (const { status, headers } of answers) {
    expect(status).toBe(503);
    expect(headers.get('retry-after')).toBe('1');
  }
  release();
  await Promise.all(asked);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(40);
  expect(most).toBe(8);
});

test('a client that disconnects makes room in the queue', async () => {
  const store = fakeStore({ search: () => new Promise(() => {}) });
  const { url } = await servedApi({ store: () => store });
  const leaving = new AbortController();
  const all = Array.from({ length: 40 }, () => fetch(url('/v1/logs'), { signal: leaving.signal }));
  const left = Promise.allSettled(all);
  const isTurnedAway = async () => {
    const asked = fetch(url('/v1/logs'), { signal: AbortSignal.timeout(200) });
    return (await asked.catch(() => undefined))?.status === 503;
  };
  await vi.waitFor(async () => expect(await isTurnedAway()).toBe(true), 20_000);
  leaving.abort();
  await left;
  await vi.waitFor(async () => expect(await isTurnedAway()).toBe(false), 20_000);
});

test('metrics count requests by operation, not by path', async () => {
  const { ask, metrics } = await servedApi();
  await ask('/v1/metrics/requests');
  await ask('/v1/logs?limit=0');
  const text = await metrics.metrics();
  expect(text).toContain('aggregator_api_request_seconds_count{operation="getMetric",status="200"} 1');
  expect(text).toContain('aggregator_api_request_seconds_count{operation="searchLogs",status="400"} 1');
});
