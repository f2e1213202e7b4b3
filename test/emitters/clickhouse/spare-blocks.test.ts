import { expect, test } from 'vitest';
import type { DayBlock } from '../../../src/emitters/clickhouse/day-block.ts';
import { PartEncoder } from '../../../src/emitters/clickhouse/part-encoder.ts';
import { SpareBlocks } from '../../../src/emitters/clickhouse/spare-blocks.ts';
import { NOTHING_BEFORE } from '../../../src/emitters/clickhouse/stored-before.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { recordBatch } from '../../support/record-batches.ts';

const line = (user: string, number: number) =>
  `10.0.0.${number % 250} - ${user} [31/Jan/2026:10:00:00 +0000] "GET /a?n=${number} HTTP/1.1" 200 ${number} "-" "agent"\n`;
const batchOfLines = (user: string, count: number) =>
  recordBatch(
    Array.from({ length: count }, (_, index) => line(user, index)),
    { format: 'combined' },
  );

async function encoded(spare: Pick<SpareBlocks, 'take'>, batch: ReturnType<typeof batchOfLines>) {
  const part = new PartEncoder(spare);
  await part.add(batch, NOTHING_BEFORE);
  const [block] = part.days.values();
  return block as DayBlock;
}

test('encodes the next records in the memory of a stored block, without its values', async () => {
  const spare = new SpareBlocks(new FakeClock());
  const first = await encoded(spare, batchOfLines('anna', 8000));
  expect(Buffer.concat(first.frames).length).toBeGreaterThan(1024 * 1024);
  spare.keep(first);
  const next = batchOfLines('-', 5000);
  const second = await encoded(spare, next);
  expect(second).toBe(first);
  const fresh = await encoded(new SpareBlocks(new FakeClock()), next);
  expect(Buffer.concat(second.frames).equals(Buffer.concat(fresh.frames))).toBe(true);
});

test('returns the memory after ten seconds without records', async () => {
  const clock = new FakeClock();
  const spare = new SpareBlocks(clock);
  const block = await encoded(spare, batchOfLines('anna', 8000));
  spare.keep(block);
  await clock.advance(9000);
  expect(spare.take()).toBe(block);
  spare.keep(await encoded({ take: () => block }, batchOfLines('anna', 8000)));
  await clock.advance(10_000);
  expect(spare.take()).not.toBe(block);
});

test('keeps no small block', async () => {
  const spare = new SpareBlocks(new FakeClock());
  const block = await encoded(spare, batchOfLines('anna', 10));
  spare.keep(block);
  expect(spare.take()).not.toBe(block);
});
