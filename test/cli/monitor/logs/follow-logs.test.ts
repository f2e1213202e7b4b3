import type { ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AggregatorApi } from '../../../../src/cli/monitor/api/aggregator-api.ts';
import { followLogs } from '../../../../src/cli/monitor/logs/follow-logs.ts';
import type { LogEntry, SearchRequest } from '../../../../src/logstore/logs/log-requests.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeAggregator, type FakeAnswer, type FakeRoutes, refused } from '../fake-aggregator.ts';
import { logEntry } from '../log-entry.ts';
import { startMonitor } from '../monitor-run.ts';

const TAIL = 'GET /v1/logs/tail';

function events(response: ServerResponse, ...parts: readonly string[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  response.write(parts.join(''));
}

const place = (id: string) => `: hello\nid: ${id}\n\n`;
const log = (entry: LogEntry, id?: string) =>
  `event: log\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(entry)}\n\n`;
const skipped = (count: number) => `event: skipped\ndata: {"count":${count}}\n\n`;

/** An answer that stays open; `send` writes more of it. */
function openStream(...parts: readonly string[]) {
  const responses: ServerResponse[] = [];
  const answer: FakeAnswer = (response) => {
    responses.push(response);
    events(response, ...parts);
  };
  return { answer, responses };
}

async function following(routes: FakeRoutes, { recent }: { recent?: SearchRequest } = {}) {
  const server = await FakeAggregator.start(routes);
  const clock = new FakeClock();
  const end = new AbortController();
  const shown: number[] = [];
  const said: string[] = [];
  const connection = { url: server.url, token: undefined, ca: undefined, timeoutMs: 10_000, waitMs: 0 };
  const done = followLogs(
    {
      api: new AggregatorApi(connection, end.signal),
      clock,
      request: { severity: 'warn' },
      recent,
      show: ({ position }) => shown.push(position),
      say: (sentence) => said.push(sentence.replace(server.url, 'URL')),
    },
    end.signal,
  );
  const ended = done.then(
    () => undefined,
    (error: unknown) => error as Error,
  );
  onTestFinished(async () => {
    end.abort(new Error('enough'));
    await ended;
  });
  /** Lets pauses pass, whenever there are any, until these are shown. */
  const untilShown = async (positions: readonly number[]) => {
    const turned = async () => {
      if (clock.waiting > 0) await clock.advance(5000);
      return shown;
    };
    await expect.poll(turned, { timeout: 10_000 }).toEqual(positions);
  };
  return { server, shown, said, ended, untilShown };
}

describe('followLogs', () => {
  test('shows the recent records, the newest last, then new ones, each once', async () => {
    const stream = openStream(place('p0'));
    const { server, shown, said } = await following(
      {
        [TAIL]: stream.answer,
        'GET /v1/logs': (response) => {
          // Stored after the stream was opened, and before the search: both have it.
          const both = logEntry(3);
          if (stream.responses[0] !== undefined) events(stream.responses[0], log(both, 'p1'));
          response.end(JSON.stringify({ entries: [both, logEntry(2)], next: null }));
        },
      },
      { recent: { limit: 10 } },
    );
    await expect.poll(() => shown).toEqual([2, 3]);
    for (const response of stream.responses) events(response, log(logEntry(4)), log(logEntry(5), 'p2'));
    await expect.poll(() => shown).toEqual([2, 3, 4, 5]);
    expect(server.requests.map(({ route, query }) => `${route}?${query}`)).toEqual([
      `${TAIL}?severity=warn`,
      'GET /v1/logs?limit=10',
    ]);
    expect(said).toEqual([]);
  });

  test('continues at the last position and skips records that were already shown', async () => {
    const first = openStream(place('p0'), log(logEntry(1), 'p1'), log(logEntry(2)), log(logEntry(3)));
    const second = openStream(
      log(logEntry(2)),
      log(logEntry(3)),
      log(logEntry(4), 'p2'),
      log(logEntry(5), 'p3'),
    );
    const { server, said, shown, untilShown } = await following({ [TAIL]: [first.answer, second.answer] });
    await expect.poll(() => shown).toEqual([1, 2, 3]);
    first.responses[0]?.destroy();
    await untilShown([1, 2, 3, 4, 5]);
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'p1']);
    expect(said).toEqual([]);
  });

  test('reports once that the aggregator is not reachable, and that it is reachable again', async () => {
    const first = openStream(place('p0'));
    const second = openStream(log(logEntry(7), 'p1'));
    const { server, said, untilShown } = await following({
      [TAIL]: [
        first.answer,
        refused(503, 'It is starting.'),
        (response) => response.destroy(),
        refused(503, 'It is starting.'),
        second.answer,
      ],
    });
    await expect.poll(() => first.responses.length).toBe(1);
    first.responses[0]?.end();
    await untilShown([7]);
    expect(said).toEqual([
      'The aggregator at URL cannot answer now: It is starting. Retrying.',
      'The aggregator is reachable again.',
    ]);
    expect(server.requests.slice(1).map(({ headers }) => headers['last-event-id'])).toEqual(
      Array.from({ length: 4 }, () => 'p0'),
    );
  });

  test('drops a position that the aggregator does not know any more, and reports it', async () => {
    const first = openStream(place('p0'));
    const last = openStream(log(logEntry(9), 'q1'));
    const { server, said, untilShown } = await following({
      [TAIL]: [first.answer, refused(400, 'The place cannot be used.'), last.answer],
    });
    await expect.poll(() => first.responses.length).toBe(1);
    first.responses[0]?.end();
    await untilShown([9]);
    expect(said).toEqual([
      'The aggregator is reachable again.',
      'Records that were stored in between are not shown.',
    ]);
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      'p0',
      undefined,
    ]);
  });

  test('reports the number of skipped records, and ignores events of a later version', async () => {
    const stream = openStream('event: news\ndata: x\n\n', skipped(1234), log(logEntry(1)));
    const { shown, said } = await following({ [TAIL]: stream.answer });
    await expect.poll(() => shown).toEqual([1]);
    expect(said).toEqual(['Skipped 1234 records that came faster than they can be shown.']);
  });

  test.each([
    ['nobody is there', (response: ServerResponse) => response.destroy(), 'Cannot reach an aggregator'],
    ['it is no stream', { json: {} } as FakeAnswer, 'It is not an event stream'],
    ['a token is required', refused(401, 'A token is needed.'), 'requires a token'],
    ['all places are taken', refused(503, '16 listeners follow already.'), '16 listeners follow already.'],
  ])('ends when, at the beginning, %s', async (_, answer, message) => {
    const { ended } = await following({ [TAIL]: answer });
    expect((await ended)?.message).toContain(message);
  });

  test.each([
    ['event: log\ndata: {"body": 1}\n\n', 'Unexpected answer'],
    ['event: log\ndata: {"bo\n\n', 'It is not JSON'],
  ])('ends when an event is %j', async (text, message) => {
    const { ended } = await following({ [TAIL]: openStream(text).answer });
    expect((await ended)?.message).toContain(message);
  });
});

describe('monitor logs --follow', () => {
  test('the timeout applies to the beginning of the stream only', async () => {
    const later: FakeAnswer = (response) => {
      events(response, place('p0'));
      setTimeout(() => events(response, log(logEntry(3), 'p1')), 1000);
    };
    const server = await FakeAggregator.start({ [TAIL]: later });
    const argv = ['logs', '-f', '-n', '0', '--timeout', '500ms'];
    const { stdout, stderr, send, done } = startMonitor(argv, { aggregator: server });
    await expect.poll(stdout, { timeout: 10_000 }).toContain('record 3');
    send('SIGINT');
    expect(await done).toBe(0);
    expect(stderr()).toBe('');
    expect(server.requests).toHaveLength(1);
  });

  test('prints until it is interrupted', async () => {
    const stream = openStream(place('p0'), log(logEntry(3), 'p1'));
    const server = await FakeAggregator.start({
      [TAIL]: stream.answer,
      'GET /v1/logs': { json: { entries: [logEntry(2), logEntry(1)], next: null } },
    });
    const { stdout, stderr, send, done } = startMonitor(['logs', '-f', '-s', 'warn'], { aggregator: server });
    await expect.poll(stdout).toContain('record 3');
    send('SIGINT');
    expect(await done).toBe(0);
    expect(stderr()).toBe('');
    expect(stdout().match(/record \d/g)).toEqual(['record 1', 'record 2', 'record 3']);
    expect(server.requests.map(({ query }) => query)).toEqual(['severity=warn', 'severity=warn&limit=10']);
  });

  test('-n 0 shows no earlier records', async () => {
    const server = await FakeAggregator.start({ [TAIL]: openStream(log(logEntry(3), 'p1')).answer });
    const { stdout, send, done } = startMonitor(['logs', '-f', '-n', '0', '--json'], { aggregator: server });
    await expect.poll(stdout).toBe(`${JSON.stringify(logEntry(3))}\n`);
    send('SIGTERM');
    expect(await done).toBe(0);
    expect(server.requests).toHaveLength(1);
  });
});
