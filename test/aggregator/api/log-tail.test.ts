import { connect, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { LogEntry } from '../../../src/logstore/logs/log-requests.ts';
import { CursorError, type LogSearch } from '../../../src/logstore/logs/log-search.ts';
import type { TailPage, TailPlace } from '../../../src/logstore/logs/tail-page.ts';
import { SqlError } from '../../../src/logstore/sql/sql-database.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { openEventStream } from './event-stream.ts';
import { ENTRY, fakeStore } from './fake-store.ts';
import { servedApi } from './served-api.ts';

const WRITER = '0197c0de-0000-7000-8000-00000000000a';

/** A store with one writer, whose flushes are pages: a place is how many of them were seen. */
class GrowingStore {
  readonly flushes: LogEntry[][] = [];
  readonly asked: { readonly filter: unknown; readonly place: TailPlace | undefined }[] = [];
  skipped = 0;
  failure: Error | undefined;
  isHanging = false;

  tail: LogSearch['tail'] = async (filter, place) => {
    this.asked.push({ filter, place });
    if (this.failure !== undefined) throw this.failure;
    if (this.isHanging) return await new Promise(() => {});
    const seen = place === undefined ? this.flushes.length : (place.get(WRITER) ?? 0);
    const page: TailPage = {
      entries: this.flushes.slice(seen).flat(),
      place: new Map([[WRITER, this.flushes.length]]),
      skipped: this.skipped,
    };
    this.skipped = 0;
    return page;
  };

  flush(...positions: number[]): void {
    this.flushes.push(positions.map((position) => ({ ...ENTRY, position })));
  }
}

async function tailed(clock = new FakeClock(), store = new GrowingStore()) {
  const fake = fakeStore({ tail: store.tail });
  const served = await servedApi({ store: () => fake, clock });
  const follow = (query = '', headers = {}) => openEventStream(served.url(`/v1/logs/tail${query}`), headers);
  return { ...served, clock, store, follow };
}

const positions = (events: readonly { readonly data: unknown }[]) =>
  events.map(({ data }) => (data as LogEntry).position);

test('newly stored records arrive as events, twice a second', async () => {
  const { store, clock, follow } = await tailed();
  store.flush(1);
  const stream = await follow('?severity=warn&where=status_code=500');
  expect(stream.response.status).toBe(200);
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  expect(stream.response.headers.get('cache-control')).toBe('no-store');
  store.flush(2, 3);
  await clock.advance(500);
  await vi.waitFor(() => expect(stream.events).toHaveLength(2));
  store.flush(4);
  await clock.advance(500);
  await vi.waitFor(() => expect(positions(stream.events)).toEqual([2, 3, 4]));
  expect(stream.events[0]).toMatchObject({ event: 'log', data: { ...ENTRY, position: 2 } });
  expect(store.asked[0]).toEqual({
    filter: { severity: 'warn', where: [{ property: 'status_code', value: '500' }] },
    place: undefined,
  });
});

test('a client that reconnects continues after its last event', async () => {
  const { store, clock, follow } = await tailed();
  const first = await follow();
  store.flush(1, 2);
  await clock.advance(500);
  await vi.waitFor(() => expect(first.events).toHaveLength(2));
  const [half, whole] = first.events.map(({ lastId }) => lastId ?? '');
  first.close();
  store.flush(3);
  const afterWhole = await follow('', { 'last-event-id': whole });
  await vi.waitFor(() => expect(positions(afterWhole.events)).toEqual([3]));
  // The first half of what was stored at once is no place: it comes again, rather than the other half never.
  const afterHalf = await follow('', { 'last-event-id': half });
  await vi.waitFor(() => expect(positions(afterHalf.events)).toEqual([1, 2, 3]));
  const lastIds = afterHalf.events.map(({ lastId }) => lastId);
  expect(lastIds).toEqual([undefined, undefined, expect.any(String)]);
});

test('a client that reconnects before the first event has missed nothing', async () => {
  const { store, follow } = await tailed();
  store.flush(1);
  const first = await follow();
  await vi.waitFor(() => expect(first.lastId).toBeDefined());
  first.close();
  store.flush(2);
  const second = await follow('', { 'last-event-id': first.lastId ?? '' });
  await vi.waitFor(() => expect(positions(second.events)).toEqual([2]));
});

test('without records, a comment is sent every 15 seconds, with the current position', async () => {
  const { store, clock, follow } = await tailed();
  const stream = await follow();
  await vi.waitFor(() => expect(stream.lastId).toBeDefined());
  const firstId = stream.lastId;
  store.flush();
  for (let at = 0; at < 29; at++) await clock.advance(500);
  expect(stream.comments).toEqual([]);
  for (let at = 0; at < 31; at++) await clock.advance(500);
  await vi.waitFor(() => expect(stream.comments).toEqual(['still here', 'still here']));
  expect(stream.lastId).not.toBe(firstId);
  expect(stream.events).toEqual([]);
});

test('records that the store skipped are reported', async () => {
  const { store, clock, follow, metrics } = await tailed();
  const stream = await follow();
  store.flush(7);
  store.skipped = 12;
  await clock.advance(500);
  await vi.waitFor(() => expect(stream.events).toHaveLength(2));
  expect(stream.events.map(({ event }) => event)).toEqual(['skipped', 'log']);
  expect(stream.events[0]?.data).toEqual({ count: 12 });
  expect(stream.events[0]?.lastId).not.toBe(stream.events[1]?.lastId);
  expect(await metrics.metrics()).toContain('aggregator_api_skipped_entries_total 12');
});

describe('a listener', () => {
  test('that disconnects ends the queries for it', async () => {
    const { store, clock, follow, metrics } = await tailed();
    const stream = await follow();
    await vi.waitFor(() => expect(clock.waiting).toBe(1));
    stream.close();
    await vi.waitFor(async () => expect(await metrics.metrics()).toContain('aggregator_api_listeners 0'));
    const asked = store.asked.length;
    await clock.advance(10_000);
    expect(store.asked).toHaveLength(asked);
  });

  test('beyond the sixteenth is rejected until another one disconnects', async () => {
    const { follow, metrics, ask } = await tailed();
    const streams = await Promise.all(Array.from({ length: 16 }, () => follow()));
    expect(streams.every(({ response }) => response.status === 200)).toBe(true);
    const tooMany = await ask('/v1/logs/tail');
    expect(tooMany.status).toBe(503);
    expect(tooMany.headers.get('retry-after')).toBe('1');
    expect((await ask('/v1/metrics')).status).toBe(200);
    streams[0]?.close();
    await vi.waitFor(async () => expect(await metrics.metrics()).toContain('aggregator_api_listeners 15'));
    expect((await follow()).response.status).toBe(200);
  });

  test('that only sends HEAD uses no slot', async () => {
    const { ask, metrics } = await tailed();
    for (let at = 0; at < 20; at++) expect((await ask('/v1/logs/tail', { method: 'HEAD' })).status).toBe(200);
    expect(await metrics.metrics()).toContain('aggregator_api_listeners 0');
  });

  test.each([
    'x',
    'a.1',
    `${WRITER}'::uuid.1`,
    `${WRITER}.99999999999999999`,
    `${WRITER}.-1`,
    `${WRITER}.1~`,
    '0'.repeat(9000),
  ])('with the position %j gets an error', async (id) => {
    const { ask } = await tailed();
    const answer = await ask('/v1/logs/tail', { headers: { 'last-event-id': id } });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ error: { problems: [{ path: 'Last-Event-ID' }] } });
  });

  test('that cannot be served gets an error before the stream begins', async () => {
    const { store, ask } = await tailed();
    store.failure = new SqlError('unavailable', 'The store is damaged.');
    expect((await ask('/v1/logs/tail')).status).toBe(503);
    store.failure = new CursorError('too old');
    expect((await ask('/v1/logs/tail')).status).toBe(400);
  });
});

describe('a store that fails', () => {
  test('for some time loses no records', async () => {
    const { store, clock, follow } = await tailed();
    const stream = await follow();
    for (const position of [1, 2]) {
      store.failure = new SqlError('busy', 'A conflict.');
      for (let at = 0; at < 9; at++) await clock.advance(500);
      store.flush(position);
      store.failure = undefined;
      await clock.advance(500);
    }
    await vi.waitFor(() => expect(positions(stream.events)).toEqual([1, 2]));
  });

  test('permanently ends the stream', async () => {
    const { store, clock, follow } = await tailed();
    const stream = await follow();
    store.failure = new SqlError('unavailable', 'Gone.');
    for (let at = 0; at < 10; at++) await clock.advance(500);
    await stream.ended;
  });
});

test('a closed store ends the stream', async () => {
  const { store, clock, follow } = await tailed();
  const stream = await follow();
  store.failure = new Error('a fault of ours');
  await clock.advance(500);
  await stream.ended;
});

test('a stop ends streams at once, even while the store hangs', async () => {
  const { server, store, clock, follow } = await tailed();
  const streams = [await follow(), await follow()];
  store.isHanging = true;
  await clock.advance(500);
  await server.stop(AbortSignal.timeout(20_000));
  await Promise.all(streams.map(({ ended }) => ended));
});

describe('a client that does not read', () => {
  const BIG = 'x'.repeat(64 * 1024);

  async function stalled(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write('GET /v1/logs/tail HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
    return socket;
  }

  test('is not sent more than it can hold, and receives the number of skipped records', async () => {
    const { store, clock, address, metrics } = await tailed();
    const socket = await stalled(address.port);
    const big = (position: number) => ({ ...ENTRY, body: BIG, position });
    store.flushes.push(Array.from({ length: 400 }, (_, at) => big(at)));
    await clock.advance(500);
    // It has half a second to make room, by the clock that we turn.
    await vi.waitFor(async () => {
      await clock.advance(500);
      expect(await metrics.metrics()).toMatch(/aggregator_api_skipped_entries_total [1-9]/);
    }, 20_000);
    const asked = store.asked.length;
    store.flush(1000);
    for (let at = 0; at < 20; at++) await clock.advance(500);
    // What comes while it is behind waits in the store, not here.
    expect(store.asked).toHaveLength(asked);
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.resume();
    await vi.waitFor(async () => {
      await clock.advance(500);
      expect(text).toContain('"position":1000');
    }, 20_000);
    const received = text.match(/event: log/g)?.length ?? 0;
    const missed = Number(/event: skipped\n(?:id: .*\n)?data: \{"count":(\d+)\}/.exec(text)?.[1]);
    expect(received + missed).toBe(401);
  });

  test('at all is disconnected', async () => {
    const store = new GrowingStore();
    const fake = fakeStore({ tail: store.tail });
    const { address, metrics } = await servedApi(
      { store: () => fake, clock: systemClock },
      { clientTimeoutMs: 1000 },
    );
    const socket = await stalled(address.port);
    const closed = vi.fn();
    socket.once('close', closed);
    store.flushes.push(Array.from({ length: 400 }, (_, at) => ({ ...ENTRY, body: BIG, position: at })));
    await vi.waitFor(async () => {
      expect(await metrics.metrics()).toContain('aggregator_api_listeners 0');
    }, 20_000);
  });
});
