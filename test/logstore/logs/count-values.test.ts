import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { valuesRequest } from '../../../src/logstore/logs/log-requests.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { NASTY_TEXTS } from '../../support/nasty-text.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { describeEachStore, type TestStore } from '../../support/stores.ts';

const valuesIn = ({ database }: TestStore) => {
  const logs = createLogSearch(database, { clock: new FakeClock(Date.UTC(2026, 0, 31, 12)) });
  return async (request: unknown) => {
    const { values } = await logs.values(valuesRequest.parse(request));
    return values.map(({ value, count }) => [value, count]);
  };
};
const time = '2026-01-31T10:00:00Z';

describeEachStore('values', (openStore) => {
  test('are counted, the most frequent first, then sorted by their bytes', async () => {
    const store = await openStore();
    const values = ['b', 'a', 'B', '\u00e4', 'b', 1, true, null, { a: 1 }, '1', ''];
    await store.write([jsonBatch([...values.map((k) => ({ time, k })), { time }])]);
    const found = await valuesIn(store)({ property: 'k' });
    expect(found).toEqual([
      [null, 3],
      ['1', 2],
      ['b', 2],
      ['', 1],
      ['B', 1],
      ['a', 1],
      ['true', 1],
      ['\u00e4', 1],
    ]);
    expect(await valuesIn(store)({ property: 'k', limit: 2 })).toEqual(found.slice(0, 2));
    expect(await valuesIn(store)({ property: 'k', where: [{ property: 'k', value: '1' }] })).toEqual([
      ['1', 2],
    ]);
  });

  test('exist for every kind of property', async () => {
    const store = await openStore();
    const batch = recordBatch(
      ['10.0.0.1 - - [31/Jan/2026:10:00:00 +0000] "GET /api/users HTTP/1.1" 500 10\n'],
      { format: 'combined', start: 7 },
    );
    await store.write([batch]);
    const values = valuesIn(store);
    const expected = {
      time: '2026-01-31T10:00:00.000000Z',
      observed_time: '2023-11-14T22:13:20.000000Z',
      severity: 'error',
      severity_number: '17',
      'host.name': 'test-host',
      'service.name': null,
      format: 'combined',
      stream: batch.stream,
      position: '7',
      host: '10.0.0.1',
      status_code: '500',
      request_proto: 'HTTP/1.1',
      'network.protocol.version': '1.1',
      'section(path)': 'api',
      'section(nowhere)': null,
      nowhere: null,
    };
    for (const [property, value] of Object.entries(expected)) {
      expect([property, await values({ property })]).toEqual([property, [[value, 1]]]);
    }
  });

  test('cover the last day by default', async () => {
    const store = await openStore();
    await store.write([
      jsonBatch([
        { time, k: 'in' },
        { time: '2026-01-30T11:59:59Z', k: 'before' },
        { time: '2026-01-31T12:00:00Z', k: 'after' },
      ]),
    ]);
    expect(await valuesIn(store)({ property: 'k' })).toEqual([['in', 1]]);
    expect(await valuesIn(store)({ property: 'k', from: '48h', to: '12h' })).toEqual([['before', 1]]);
  });

  test('are cut if they are long', async () => {
    const store = await openStore();
    const long = '\ud83d\ude00'.repeat(1500);
    await store.write([jsonBatch([{ time, msg: long }])]);
    const [[value] = []] = await valuesIn(store)({ property: 'body' });
    expect(long.startsWith(String(value))).toBe(true);
    expect(String(value).length).toBe(2000);
  });

  test('can be searched, for any content', async () => {
    const store = await openStore();
    await store.write([jsonBatch(NASTY_TEXTS.map((k) => ({ time, k })))]);
    const values = valuesIn(store);
    const found = await values({ property: 'k', limit: 1000 });
    expect(found.length).toBeGreaterThan(NASTY_TEXTS.length - 10);
    for (const [value, count] of found) {
      expect(await values({ property: 'k', where: [{ property: 'k', value }] })).toEqual([[value, count]]);
    }
  });
});
