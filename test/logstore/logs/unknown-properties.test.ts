import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { histogramRequest, searchRequest, valuesRequest } from '../../../src/logstore/logs/log-requests.ts';
import { SqlError } from '../../../src/logstore/sql/sql-database.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { describeEachStore, type OpenStore } from '../../support/stores.ts';

async function filled(openStore: OpenStore, records: readonly object[]) {
  const { database, write } = await openStore();
  if (records.length > 0) await write([jsonBatch(records)]);
  return { database, logs: createLogSearch(database, { clock: new FakeClock() }) };
}

const where = (property: string, value = '1') => ({ where: [{ property, value }] });
const RECORDS = [
  { msg: 'm', order_id: 7, status: 'ok', nested: { deep: { key: 1 } }, none: null },
  { msg: 'm', customer: 'x' },
];

describeEachStore('a property that no record has', (openStore) => {
  test('is an element that no list has, and none of the other elements', async () => {
    const { logs } = await filled(openStore, [{ tags: ['a', 'b'], order: { items: [{ sku: 1 }] } }]);
    const found = ['tags[0]', 'tags[1]', 'order.items[0].sku', 'order.items[0]', "['order']['items']['0']"];
    expect(await logs.unknown(found)).toEqual([]);
    const missing = ['tags[2]', 'order.items[1].sku', 'order.items[0].skus'];
    expect((await logs.unknown([...found, ...missing])).map(({ property }) => property)).toEqual(missing);
    for (const [property, value] of [
      ['tags[1]', 'b'],
      ['order.items[0].sku', '1'],
    ] as const) {
      expect((await logs.search(searchRequest.parse(where(property, value)))).entries).toHaveLength(1);
    }
    expect((await logs.search(searchRequest.parse(where('tags[1]', 'a')))).entries).toEqual([]);
  });

  test('is reported among many others', async () => {
    const { logs } = await filled(openStore, RECORDS);
    const many = Array.from({ length: 30 }, (_, at) => `missing_${at}`);
    expect((await logs.unknown(many)).map(({ property }) => property)).toEqual(many);
  });

  test('is reported with the nearest names, by each kind of query', async () => {
    const { logs } = await filled(openStore, RECORDS);
    const unknown = [
      {
        property: 'order_idd',
        nearest: ['order_id'],
        message: 'No record has the attribute order_idd; did you mean order_id?',
      },
    ];
    const request = where('order_idd');
    expect(await logs.search(searchRequest.parse(request))).toEqual({ entries: [], next: null, unknown });
    expect((await logs.histogram(histogramRequest.parse({ ...request, from: '720h' }))).unknown).toEqual(
      unknown,
    );
    const values = valuesRequest.parse({ property: 'order_idd', from: '1970-01-01T00:00:00Z' });
    expect((await logs.values(values)).unknown).toEqual(unknown);
    expect(await logs.unknown(['order_idd', 'order_id', 'order_idd'])).toEqual(unknown);
  });

  test('is reported without a suggestion if no name is similar; short names and sections are supported', async () => {
    const { logs } = await filled(openStore, RECORDS);
    const messages = async (...names: string[]) => (await logs.unknown(names)).map(({ message }) => message);
    expect(await messages('zzzzzzzzz')).toEqual(['No record has the attribute zzzzzzzzz.']);
    expect(await messages('section(custmer)')).toEqual([
      'No record has the attribute custmer; did you mean customer?',
    ]);
    expect(await messages('code')).toEqual(['No record has the attribute code; did you mean status_code?']);
  });

  test('is not reported if a record has it with another value, nested, or as null, or if it has a column', async () => {
    const { logs } = await filled(openStore, RECORDS);
    for (const name of [
      'order_id',
      'nested.deep.key',
      'nested',
      'none',
      "['customer']",
      'attributes.status',
    ]) {
      expect([name, await logs.unknown([name])]).toEqual([name, []]);
    }
    for (const name of ['status_code', 'url.path', 'section(path)', 'severity', 'indent_logname', 'stream']) {
      expect([name, await logs.unknown([name])]).toEqual([name, []]);
    }
    const page = await logs.search(searchRequest.parse(where('order_id', '8')));
    expect(page).toEqual({ entries: [], next: null });
  });

  test('is reported for the newest records only if there are more', async () => {
    const plain = Array.from({ length: 10_000 }, (_, at) => ({ msg: 'm', time: 1_700_000_000 + at }));
    const { logs } = await filled(openStore, [{ msg: 'old', time: 1_600_000_000, rare: 1 }, ...plain]);
    expect((await logs.unknown(['rare'])).map(({ message }) => message)).toEqual([
      'None of the newest 10000 records has the attribute rare.',
    ]);
    // It is found all the same: the question itself reads all records.
    const page = await logs.search(searchRequest.parse(where('rare')));
    expect([page.entries.length, page.unknown]).toEqual([1, undefined]);
  });

  test('is not reported in an empty store, or if the query fails', async () => {
    const { logs, database } = await filled(openStore, []);
    expect(await logs.unknown(['nosuch'])).toEqual([]);
    const failing = createLogSearch(
      { dialect: database.dialect, run: () => Promise.reject(new SqlError('timeout', 'too slow')) },
      { clock: new FakeClock() },
    );
    expect(await failing.unknown(['nosuch'])).toEqual([]);
  });
});
