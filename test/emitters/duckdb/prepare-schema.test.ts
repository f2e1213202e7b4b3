import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { searchRequest } from '../../../src/logstore/logs/log-requests.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { change, deliver, query, startedOn, temporaryPath } from './emitting.ts';

test('a file of an earlier version gets the tables that are missing, and keeps its records', async () => {
  const path = await temporaryPath();
  const first = await startedOn(path);
  await deliver(first, recordBatch(['one\n']));
  await first.stop(AbortSignal.timeout(5000));
  await change(path, ['drop table log_groups', 'drop table alert_silences']);

  const second = await startedOn(path);
  expect(await query(second, 'select id from log_groups')).toEqual([]);
  expect(await query(second, 'select alert from alert_silences')).toEqual([]);
  expect(await query(second, 'select body from log_records')).toEqual([{ body: 'one' }]);
});

test('a file of version 2 gets the table of sketches, keeps its records, and later texts are found', async () => {
  const path = await temporaryPath();
  const first = await startedOn(path);
  await deliver(first, recordBatch(['one and more\n']));
  await first.stop(AbortSignal.timeout(5000));
  // A version 2 file has no sketches.
  await change(path, ['drop table text_sketches', 'update mega_collector_store set version = 2']);

  const second = await startedOn(path);
  expect(await query(second, 'select version from mega_collector_store')).toEqual([{ version: 3 }]);
  expect(await query(second, 'select page from text_sketches')).toEqual([]);
  await deliver(second, recordBatch(['two and more\n'], { start: 100 }));
  expect(await query(second, 'select body from log_records order by position')).toEqual([
    { body: 'one and more' },
    { body: 'two and more' },
  ]);
  const logs = createLogSearch(second.database, { clock: systemClock });
  const found = await logs.search(searchRequest.parse({ text: 'AND MORE', limit: 10 }));
  expect(found.entries.map(({ body }) => body).toSorted()).toEqual(['one and more', 'two and more']);
});

test('a file of version 1 is migrated through all versions', async () => {
  const path = await temporaryPath();
  const first = await startedOn(path);
  await deliver(first, recordBatch(['one\n']));
  await first.stop(AbortSignal.timeout(5000));
  await change(path, [
    'drop table text_sketches',
    'drop table own_names',
    'update mega_collector_store set version = 1',
  ]);
  const second = await startedOn(path);
  expect(await query(second, 'select version from mega_collector_store')).toEqual([{ version: 3 }]);
  expect(await query(second, 'select body from log_records')).toEqual([{ body: 'one' }]);
});
