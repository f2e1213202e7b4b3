import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { type LogEntry, searchRequest } from '../../../src/logstore/logs/log-requests.ts';
import { CursorError } from '../../../src/logstore/logs/log-search.ts';
import { mintStreamId } from '../../../src/records/stream-id.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { newestFirst, rowsOf } from '../../support/row-model.ts';
import { describeEachStore, type TestStore } from '../../support/stores.ts';

const clock = new FakeClock(Date.UTC(2026, 0, 31, 12));
const searchIn = ({ database }: TestStore) => {
  const logs = createLogSearch(database, { clock });
  return (request: unknown) => logs.search(searchRequest.parse(request));
};
const at = (seconds: number) => new Date(Date.UTC(2026, 0, 31, 10, 0, seconds)).toISOString();
const identity = ({ stream, position }: { stream: string; position: number }) => `${stream}@${position}`;

/** Every page, one after another. */
async function walk(search: ReturnType<typeof searchIn>, request: object, between = async () => {}) {
  const entries: LogEntry[] = [];
  let cursor: string | undefined;
  do {
    const page = await search({ ...request, cursor });
    entries.push(...page.entries);
    cursor = page.next ?? undefined;
    await between();
  } while (cursor !== undefined);
  return entries;
}

describeEachStore('a search', (openStore) => {
  test('without conditions matches nothing', async () => {
    const search = searchIn(await openStore());
    expect(await search({})).toEqual({ entries: [], next: null });
  });

  test('shows all of an access log line', async () => {
    const store = await openStore();
    const line =
      '10.0.0.9 - frank [31/Jan/2026:11:00:00 +0100] "GET /api/users?id=7 HTTP/1.1" 404 2326 "-" "curl/8"\n';
    const batch = recordBatch([line], {
      format: 'combined',
      start: 4096,
      resource: new Map([
        ['host.name', 'web-1'],
        ['service.name', 'shop'],
        ['log.file.path', '/var/log/access.log'],
        ['deployment.environment.name', 'test'],
      ]),
    });
    await store.write([batch]);
    const { entries } = await searchIn(store)({});
    expect(entries).toEqual([
      {
        time: '2026-01-31T10:00:00.000000Z',
        observedTime: '2023-11-14T22:13:20.000000Z',
        severity: 'warn',
        severityNumber: 13,
        severityText: null,
        host: 'web-1',
        service: 'shop',
        source: '/var/log/access.log',
        format: 'combined',
        body: line.trimEnd(),
        attributes: {
          'client.address': '10.0.0.9',
          'user.name': 'frank',
          'http.request.method': 'GET',
          'url.path': '/api/users',
          'url.query': 'id=7',
          'network.protocol.version': '1.1',
          'http.response.status_code': 404,
          'http.response.body.size': 2326,
          'user_agent.original': 'curl/8',
          'deployment.environment.name': 'test',
        },
        stream: batch.stream,
        position: 4096,
      },
    ]);
  });

  test('keeps the microsecond, the type of each attribute, and names that are special in JavaScript', async () => {
    const store = await openStore();
    const attributes = JSON.parse(
      '{"__proto__":"p","constructor":1,"a":{"b":[1,null,{"c":true}]},"t":"1","n":1.5,"f":false,"url.path":7}',
    ) as object;
    await store.write([
      jsonBatch([{ time: '2026-01-31T10:00:00.123456Z', level: 'fatal', msg: 'm', ...attributes }]),
    ]);
    const [entry] = (await searchIn(store)({})).entries;
    expect(entry?.time).toBe('2026-01-31T10:00:00.123456Z');
    expect([entry?.severity, entry?.severityNumber, entry?.severityText]).toEqual(['fatal', 21, 'fatal']);
    expect(new Map(Object.entries(entry?.attributes ?? {}))).toEqual(new Map(Object.entries(attributes)));
  });

  test('returns everything page by page, each record once, newest first', async () => {
    const store = await openStore();
    const streams = [mintStreamId(), mintStreamId(), mintStreamId()];
    const batches = streams.map((stream, which) =>
      jsonBatch(
        Array.from({ length: 40 }, (_, index) => ({
          time: at((index * (which + 1)) % 7),
          msg: `${which} ${index}`,
        })),
        { stream, start: which * 10_000 },
      ),
    );
    await store.write(batches);
    const search = searchIn(store);
    const expected = newestFirst(rowsOf(batches)).map(identity);
    for (const limit of [1000, 120, 119, 17]) {
      expect((await walk(search, { limit })).map(identity)).toEqual(expected);
    }
    const { next } = await search({ limit: 120 });
    expect(next).toBeNull();
  });

  test('repeats and skips nothing when records arrive in between', async () => {
    const store = await openStore();
    const first = jsonBatch(
      Array.from({ length: 30 }, (_, index) => ({ time: at(index % 5), msg: 'first' })),
    );
    await store.write([first]);
    const arrive = () => store.write([jsonBatch([{ time: at(60) }, { time: at(2) }, { time: at(0) }])]);
    const seen = (await walk(searchIn(store), { limit: 10, text: 'first' }, arrive)).map(identity);
    expect(seen).toEqual(newestFirst(rowsOf([first])).map(identity));
  });

  test('includes the start of a time range and excludes its end', async () => {
    const store = await openStore();
    await store.write([jsonBatch([9, 10, 11, 12].map((second) => ({ time: at(second), msg: `${second}` })))]);
    const search = searchIn(store);
    const bodies = async (request: object) => (await search(request)).entries.map(({ body }) => body);
    expect(await bodies({ from: at(10), to: at(12) })).toEqual(['11', '10']);
    expect(await bodies({ from: '2026-01-31T11:00:11+01:00' })).toEqual(['12', '11']);
    expect(await bodies({ to: at(10) })).toEqual(['9']);
    expect(await bodies({ from: '7189s' })).toEqual(['12', '11']);
    expect(await bodies({ from: at(12), to: at(10) })).toEqual([]);
    expect(await bodies({ from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59Z', limit: 1 })).toEqual([
      '12',
    ]);
    expect(await bodies({ from: '9999-01-01T00:00:00Z' })).toEqual([]);
    expect(await bodies({ to: '1969-12-31T00:00:00Z' })).toEqual([]);
  });

  test('shows the newest records of a span, wherever in it they are', async () => {
    const store = await openStore();
    const hours = [1, 2, 30, 31, 200, 2000, 9000];
    const times = hours.map((hour) => new Date(Date.UTC(2026, 0, 31, 12) - hour * 3_600_000).toISOString());
    for (const [index, time] of times.entries())
      await store.write([jsonBatch([{ time, msg: `needle ${index}` }], { start: index * 1000 })]);
    const search = searchIn(store);
    for (const request of [{}, { from: '12000h' }, { text: 'needle' }, { from: '12000h', to: '24h' }]) {
      const expected = 'to' in request ? hours.slice(2) : hours;
      for (const limit of [1, 3, 10]) {
        const all = await walk(search, { ...request, limit });
        expect(all.map(({ body }) => body)).toEqual(expected.map((hour) => `needle ${hours.indexOf(hour)}`));
      }
    }
  });

  test('ends a page before it is too large, and continues after it', async () => {
    const store = await openStore();
    const large = 'x'.repeat(1_000_000);
    const batches = [0, 1, 2].map((start) =>
      jsonBatch(
        [1, 2, 3, 4].map((second) => ({ time: at(second), msg: `${second}`, large })),
        { start: start * 10_000_000 },
      ),
    );
    for (const batch of batches) await store.write([batch]);
    const search = searchIn(store);
    const first = await search({ limit: 1000 });
    expect(first.entries.length).toBeGreaterThan(3);
    expect(first.entries.length).toBeLessThan(12);
    const all = await walk(search, { limit: 1000 });
    expect(all.map(identity)).toEqual(newestFirst(rowsOf(batches)).map(identity));
  });

  test('rejects any cursor except its own', async () => {
    const search = searchIn(await openStore());
    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const cursor of ['x', '', encoded(null), encoded(["1'; drop table log_records; --", 'a', 1])]) {
      await expect(search({ cursor })).rejects.toThrow(CursorError);
    }
  });
});
