import { expect, test } from 'vitest';
import { FlushInserts } from '../../../src/emitters/clickhouse/flush-inserts.ts';
import { KnownRecords } from '../../../src/emitters/clickhouse/known-records.ts';
import { SpareBlocks } from '../../../src/emitters/clickhouse/spare-blocks.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

test('connects once for a flush when no server answers, however many records are added', async () => {
  let attempts = 0;
  const inserts = new FlushInserts({
    connection: () => {
      throw new Error('no connection is expected');
    },
    request: { timeoutMs: 1000 },
    prepare: async () => {
      attempts++;
      throw new Error('no server answers');
    },
    writer: '0'.repeat(32),
    nextToken: () => 'token',
    knownNames: new Set(),
    known: new KnownRecords(0),
    spare: new SpareBlocks(new FakeClock()),
  });
  for (let start = 0; start < 5; start++) await inserts.add([recordBatch(lines(1), { start: start * 1000 })]);
  await expect(inserts.finish({ flush: 1, nowUnixMicro: 0 })).rejects.toThrow('no server answers');
  expect(attempts).toBe(1);
});
