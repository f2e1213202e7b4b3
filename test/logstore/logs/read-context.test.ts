import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { contextRequest } from '../../../src/logstore/logs/log-requests.ts';
import type { StreamId } from '../../../src/records/stream-id.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { describeEachStore, type OpenStore } from '../../support/stores.ts';

const STREAM = '0197c0de00007000800000000000000a' as StreamId;

describeEachStore('the context of a record', (openStore: OpenStore) => {
  /** Two streams with the same times; the record 5 has a time of another day. */
  async function setUp() {
    const store = await openStore();
    const records = (name: string) =>
      Array.from({ length: 10 }, (_, at) => ({
        time: at === 5 ? '2026-01-01T00:00:00Z' : `2026-01-31T10:00:0${at}Z`,
        message: `${name} ${at}`,
        even: at % 2 === 0,
      }));
    await store.write([
      jsonBatch(records('a'), { stream: STREAM }),
      jsonBatch(records('b'), { stream: STREAM.replace('a', 'b') as StreamId }),
    ]);
    const logs = createLogSearch(store.database, { clock: new FakeClock() });
    const page = await logs.search({ limit: 100, where: [{ property: 'stream', value: STREAM }] });
    const positions = page.entries.map(({ position }) => position).toSorted((a, b) => a - b);
    const context = async (index: number, request: object) => {
      const asked = contextRequest.parse({ stream: STREAM, position: positions[index], ...request });
      const { entries, atStart, atEnd } = await logs.context(asked);
      return [entries.map(({ body }) => body).join(), atStart, atEnd];
    };
    return { logs, positions, context };
  }

  test('has its neighbours by position, whatever their times are', async () => {
    const { context } = await setUp();
    expect(await context(6, { direction: 'before', limit: 3 })).toEqual(['a 3,a 4,a 5', false, false]);
    expect(await context(6, { direction: 'after', limit: 2 })).toEqual(['a 7,a 8', false, false]);
    expect(await context(4, { limit: 5 })).toEqual(['a 2,a 3,a 4,a 5,a 6', false, false]);
  });

  test('ends where the stream ends', async () => {
    const { context } = await setUp();
    expect(await context(2, { direction: 'before', limit: 5 })).toEqual(['a 0,a 1', true, false]);
    expect(await context(8, { direction: 'after', limit: 5 })).toEqual(['a 9', false, true]);
    expect(await context(9, { direction: 'around', limit: 100 })).toEqual([
      'a 0,a 1,a 2,a 3,a 4,a 5,a 6,a 7,a 8,a 9',
      true,
      true,
    ]);
  });

  test('has only the matching neighbours, and the record itself', async () => {
    const { context } = await setUp();
    const where = [{ expression: 'even == "true"' }];
    expect(await context(5, { direction: 'around', limit: 4, where })).toEqual([
      'a 2,a 4,a 5,a 6',
      false,
      false,
    ]);
  });

  test('a record is found by its position, also with a wrong time', async () => {
    const { logs, positions } = await setUp();
    const position = positions[3] ?? 0;
    for (const time of [undefined, '2026-01-31T10:00:03Z', '2020-01-01T00:00:00Z'])
      expect((await logs.record({ stream: STREAM, position, time }))?.body).toBe('a 3');
    expect(await logs.record({ stream: STREAM, position: position + 1 })).toBeUndefined();
  });
});
