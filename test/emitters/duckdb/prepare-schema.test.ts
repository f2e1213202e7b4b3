import { expect, test } from 'vitest';
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
