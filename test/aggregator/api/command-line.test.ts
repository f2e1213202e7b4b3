import { expect, onTestFinished, test, vi } from 'vitest';
import { AggregatorApi } from '../../../src/cli/monitor/api/aggregator-api.ts';
import { formatAddress } from '../../../src/runtime/configuration/address.ts';
import { ENTRY, fakeStore } from './fake-store.ts';
import { servedApi } from './served-api.ts';

const TOKEN = 'correct-horse-battery-staple';

async function asking(store = fakeStore()) {
  const { address } = await servedApi({ store: () => store, token: TOKEN });
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const connect = (token?: string) =>
    new AggregatorApi(
      { url: `http://${formatAddress(address)}`, token, ca: undefined, timeoutMs: 20_000, waitMs: 0 },
      end.signal,
    );
  return { store, api: connect(TOKEN), stranger: connect() };
}

test('the API accepts the requests of the command line, which accepts the answers', async () => {
  const { api, store } = await asking();
  const where = [{ property: 'section(url.path)', value: 'a=b & c' }];
  const search = { text: 'out of memory', severity: 'warn', where, limit: 7 } as const;
  expect(await api.search({ ...search, where: [...where] })).toEqual({ entries: [ENTRY], next: 'further' });
  expect(store.asked).toEqual([['search', search]]);
  expect((await api.histogram({ intervalSeconds: 60 })).total).toBe(3);
  expect((await api.values({ property: 'body', limit: 5 })).values).toHaveLength(2);
  expect(await api.metrics()).toHaveLength(1);
  expect((await api.createMetric({ id: 'hits' })).definition.id).toBe('hits');
  expect((await api.metric('hits')).points).toBe(0);
  expect(await api.points('hits', { limit: 5, segment: '/a b' })).toHaveLength(1);
  await api.deleteMetric('hits');
  expect(await api.alerts()).toHaveLength(1);
  expect((await api.createAlert({ id: 'many', metric: 'hits', level: 3 })).definition.level).toBe(3);
  expect((await api.alert('many')).states).toHaveLength(1);
  expect(await api.alertHistory('many', 5)).toHaveLength(1);
  await api.deleteAlert('many');
  expect(await api.createDefaults()).toEqual({ created: ['total_traffic'], existing: [] });
});

test('the command line follows the log, and shows errors of the API', async () => {
  const tail = vi.fn(async () => ({ entries: [ENTRY], place: new Map(), skipped: 3 }));
  const { api, stranger } = await asking(fakeStore({ tail }));
  const kinds: string[] = [];
  for await (const event of await api.tail({ severity: 'warn' }, undefined)) {
    kinds.push(event.kind);
    if (event.kind === 'log') {
      expect(event.entry).toEqual(ENTRY);
      break;
    }
  }
  expect(kinds).toEqual(['skipped', 'log']);
  await expect(api.search({ limit: 0 })).rejects.toThrow('limit');
  await expect(stranger.metrics()).rejects.toMatchObject({ status: 401 });
});
