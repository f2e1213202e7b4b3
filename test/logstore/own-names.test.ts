import { expect, test } from 'vitest';
import { createLogSearch } from '../../src/logstore/logs/create-log-search.ts';
import { searchRequest } from '../../src/logstore/logs/log-requests.ts';
import type { SqlDatabase } from '../../src/logstore/sql/sql-database.ts';
import { change, deliver, query, type Store, startedOn, temporaryPath } from '../emitters/duckdb/emitting.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { jsonBatch } from '../support/json-batch.ts';

const soon = () => AbortSignal.timeout(5000);

/** How many records have the value, and whether the search has looked for it in `attributes`. */
async function found({ database }: Store, property: string, value: string) {
  const texts: string[] = [];
  const watched: SqlDatabase = {
    dialect: database.dialect,
    run: (statements, options) => {
      texts.push(...statements.map(({ text }) => text));
      return database.run(statements, options);
    },
  };
  const logs = createLogSearch(watched, { clock: new FakeClock() });
  const { entries } = await logs.search(searchRequest.parse({ where: [{ property, value }] }));
  return { records: entries.length, isCostly: texts.some((text) => /json_type\(attributes/.test(text)) };
}

async function names(store: Store) {
  return (await query(store, 'select name from own_names order by name')).map(({ name }) => name);
}

const PLAIN = { msg: 'm', order: 7, 'http.response.status_code': 500 };
const ODD = { msg: 'm', 'http.response.status_code': 'teapot', source: 'queue' };
const NESTED = { msg: 'm', http: { response: { status_code: 418 } } };

test('a condition on a column reads only the column while no record has an attribute of that name', async () => {
  const store = await startedOn(await temporaryPath());
  await deliver(store, jsonBatch([PLAIN]));
  expect(await names(store)).toEqual([]);
  expect(await found(store, 'status_code', '500')).toEqual({ records: 1, isCostly: false });
  expect(await found(store, 'source', 'queue')).toEqual({ records: 0, isCostly: false });
  expect(await found(store, 'order', '7')).toEqual({ records: 1, isCostly: true });
});

test('the host of a record is in its column', async () => {
  const store = await startedOn(await temporaryPath());
  await deliver(
    store,
    jsonBatch([{ msg: 'm', 'host.name': 'firewall-1', 'service.name': 'sshd', order: 7 }]),
  );
  expect(await names(store)).toEqual([]);
  expect(await found(store, 'host.name', 'firewall-1')).toEqual({ records: 1, isCostly: false });
  expect(await found(store, 'service.name', 'sshd')).toEqual({ records: 1, isCostly: false });
});

test('finds a value that does not fit its column from its flush on', async () => {
  const path = await temporaryPath();
  const store = await startedOn(path);
  await deliver(store, jsonBatch([PLAIN]));
  await deliver(store, jsonBatch([ODD, NESTED]));
  expect(await names(store)).toEqual(['http', 'http.response.status_code', 'source']);
  expect(await found(store, 'status_code', 'teapot')).toEqual({ records: 1, isCostly: true });
  expect(await found(store, 'status_code', '418')).toEqual({ records: 1, isCostly: true });
  expect(await found(store, 'source', 'queue')).toEqual({ records: 1, isCostly: true });
  expect(await found(store, 'url.path', '/')).toMatchObject({ records: 0 });
  await store.stop(soon());
  const again = await startedOn(path);
  expect(await found(again, 'status_code', 'teapot')).toEqual({ records: 1, isCostly: true });
});

test('a file of version 1 is searched in full until its records are gone', async () => {
  const path = await temporaryPath();
  const first = await startedOn(path);
  await deliver(first, jsonBatch([ODD]));
  await first.stop(soon());
  await change(path, ['drop table own_names', 'update mega_collector_store set version = 1']);

  const second = await startedOn(path);
  expect(await names(second)).toEqual(['*']);
  expect(await found(second, 'status_code', 'teapot')).toEqual({ records: 1, isCostly: true });
  await second.stop(soon());
  await change(path, ['delete from log_records']);

  const third = await startedOn(path);
  await deliver(third, jsonBatch([PLAIN]));
  expect(await names(third)).toEqual([]);
});

test('an empty file of version 1 gets its notes at once', async () => {
  const path = await temporaryPath();
  await (await startedOn(path)).stop(soon());
  await change(path, ['drop table own_names', 'update mega_collector_store set version = 1']);
  expect(await names(await startedOn(path))).toEqual([]);
});
