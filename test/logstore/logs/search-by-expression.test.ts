import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { searchRequest } from '../../../src/logstore/logs/log-requests.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { describeEachStore } from '../../support/stores.ts';

const where = (expression: string) => searchRequest.parse({ where: [{ expression }] });

describeEachStore('a search by an expression', (openStore) => {
  test('returns the records that match, and reports an unknown name', async () => {
    const { database, write } = await openStore();
    const logs = createLogSearch(database, { clock: new FakeClock() });
    await write([
      jsonBatch([
        { msg: 'one', order_id: 1, tags: ['a'] },
        { msg: 'two', order_id: 2 },
      ]),
    ]);
    const bodies = async (expression: string) =>
      (await logs.search(where(expression))).entries.map(({ body }) => body);
    expect(await bodies('order_id >= 2 or tags == a')).toHaveLength(2);
    expect(await bodies('order_id > 1 and not exists tags')).toEqual(['two']);
    const nothing = await logs.search(where('orderid == 1 and order_id > 0'));
    expect(nothing.unknown).toEqual([
      expect.objectContaining({ property: 'orderid', nearest: ['order_id'] }),
    ]);
  });
});

test('an expression that cannot be read is a problem of the request', () => {
  const check = (expression: string) => searchRequest.safeParse({ where: [{ expression }] }).error?.issues[0];
  expect(check('order_id >')).toMatchObject({
    path: ['where', 0, 'expression'],
    message: expect.stringMatching(/^expected a value/),
  });
  expect(check('body ~ "(a)\\1"')?.message).toMatch(/back-references/);
  expect(check('resource.env == a')?.message).toMatch(/write env instead of resource.env/);
});
