import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { fieldsRequest } from '../../../src/logstore/logs/log-requests.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { describeEachStore, type TestStore } from '../../support/stores.ts';

const RESOURCE = new Map([['host.name', 'web-1']]);

function fieldsOf({ database }: TestStore) {
  const logs = createLogSearch(database, { clock: new FakeClock() });
  return (request: object) => logs.fields(fieldsRequest.parse(request));
}

describeEachStore('the fields of records', (openStore) => {
  test('have a name for expressions, a type, and their most frequent values', async () => {
    const store = await openStore();
    await store.write([
      jsonBatch(
        [
          { message: 'a', level: 'error', user: { id: 7 }, 'any name': true, tags: ['x', 'y'], mixed: 1 },
          { message: 'b', level: 'error', user: { id: 8 }, at: '2026-01-31T10:00:00Z', mixed: 'one' },
          { message: 'c', level: 'info', user: { id: 7 }, list: [{ a: 1 }], status_code: 500 },
        ],
        { resource: RESOURCE },
      ),
    ]);
    const { fields, sampled, complete } = await fieldsOf(store)({});
    expect([sampled, complete]).toEqual([3, true]);
    const found = Object.fromEntries(fields.map(({ name, ...rest }) => [name, rest]));
    expect(found['severity']).toEqual({
      kind: 'column',
      type: 'text',
      count: 3,
      distinct: 2,
      values: [
        { value: 'error', count: 2 },
        { value: 'info', count: 1 },
      ],
    });
    expect(found['host.name']).toMatchObject({
      kind: 'column',
      count: 3,
      values: [{ value: 'web-1', count: 3 }],
    });
    expect(found['user.id']).toMatchObject({
      kind: 'attribute',
      type: 'number',
      distinct: 2,
      values: [
        { value: '7', count: 2 },
        { value: '8', count: 1 },
      ],
    });
    expect(found["['any name']"]).toMatchObject({ type: 'boolean', count: 1 });
    expect(found['tags']).toMatchObject({ type: 'text', count: 1, distinct: 2 });
    expect(found['list']).toMatchObject({ type: 'json', count: 1 });
    expect(found['at']).toMatchObject({ type: 'time' });
    expect(found['mixed']).toMatchObject({ type: 'mixed', count: 2 });
    expect(fields.map(({ count }) => count)).toEqual(
      fields.map(({ count }) => count).toSorted((a, b) => b - a),
    );
  });

  test('are those of the newest matching records, up to the size of the sample', async () => {
    const store = await openStore();
    await store.write([
      jsonBatch(
        Array.from({ length: 10 }, (_, at) => ({
          time: `2026-01-31T10:00:0${at}Z`,
          message: 'x',
          number: at,
        })),
      ),
    ]);
    const fields = fieldsOf(store);
    const numbersOf = async (request: object) => {
      const report = await fields(request);
      const numbers = report.fields.find(({ name }) => name === 'number')?.values.map(({ value }) => value);
      return { ...report, fields: numbers?.toSorted() };
    };
    expect(await numbersOf({ sample: 3 })).toEqual({ fields: ['7', '8', '9'], sampled: 3, complete: false });
    expect(await numbersOf({ where: [{ expression: 'number < 2' }] })).toEqual({
      fields: ['0', '1'],
      sampled: 2,
      complete: true,
    });
    expect(await numbersOf({ to: '2025-01-01T00:00:00Z' })).toEqual({ sampled: 0, complete: true });
  });

  test('are read up to a size, however large a record is', async () => {
    const store = await openStore();
    const large = 'x'.repeat(900_000);
    await store.write(
      Array.from({ length: 11 }, (_, at) =>
        jsonBatch([{ time: `2026-01-31T10:00:${10 + at}Z`, message: 'x', large: `${at}${large}` }]),
      ),
    );
    const { sampled, complete, fields } = await fieldsOf(store)({});
    expect(sampled).toBeLessThan(11);
    expect(complete).toBe(false);
    expect(fields.find(({ name }) => name === 'large')).toMatchObject({ count: sampled, values: [] });
  });
});
