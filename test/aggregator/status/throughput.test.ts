import { expect, test } from 'vitest';
import { Throughput } from '../../../src/aggregator/status/throughput.ts';
import type { QueueBalance } from '../../../src/storage/queue/queue-contract.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** `file` has delivered these records, of 10 bytes each. */
function balance(accepted: number, delivered: number): QueueBalance {
  const amount = (records: number) => ({ records, bytes: records * 10 });
  const none = amount(0);
  const emitter = { emitter: 'file', before: none, deadLettered: none, discarded: none, filtered: none };
  return {
    accepted: amount(accepted),
    emitters: [{ ...emitter, delivered: amount(delivered), queued: amount(accepted - delivered) }],
    diskBytes: 0,
  };
}

async function measured(samples: readonly (readonly [number, number])[]) {
  const clock = new FakeClock();
  const throughput = new Throughput(clock);
  for (const [accepted, delivered] of samples) {
    throughput.sample(balance(accepted, delivered));
    await clock.advance(10_000);
  }
  return throughput;
}

test('rates are those of the time since the oldest sample', async () => {
  const throughput = await measured([
    [0, 0],
    [1000, 500],
  ]);
  const now = balance(4000, 2000);
  expect(throughput.intake(now)).toEqual({ records: 200, bytes: 2000 });
  expect(throughput.emitter(now, 'file').recordsPerSecond).toBe(100);
});

test('rates forget what is older than a minute', async () => {
  const throughput = await measured([
    [0, 0],
    [1000, 1000],
    ...Array.from({ length: 6 }, () => [1000, 1000] as const),
    [1000, 1000],
  ]);
  expect(throughput.intake(balance(1000, 1000))).toEqual({ records: 0, bytes: 0 });
});

test('an emitter has caught up when its queue has become empty at the rate of the last minute', async () => {
  const throughput = await measured([[1000, 0]]);
  // The queue was 1000 records long, and is 800 long 10 seconds later.
  expect(throughput.emitter(balance(1200, 400), 'file')).toEqual({
    recordsPerSecond: 40,
    catchUpSeconds: 40,
  });
});

test('an emitter whose queue does not get shorter has no time to catch up', async () => {
  const throughput = await measured([[1000, 500]]);
  for (const [accepted, delivered] of [
    [2000, 1000],
    [1100, 600],
  ] as const) {
    const { catchUpSeconds } = throughput.emitter(balance(accepted, delivered), 'file');
    expect(catchUpSeconds).toBeUndefined();
  }
  expect(throughput.emitter(balance(2000, 2000), 'file').catchUpSeconds).toBe(0);
});

test('without a sample of at least a second ago there are no rates', () => {
  const throughput = new Throughput(new FakeClock());
  expect(throughput.intake(balance(10, 0))).toEqual({ records: 0, bytes: 0 });
  throughput.sample(balance(0, 0));
  expect(throughput.intake(balance(10, 0))).toEqual({ records: 0, bytes: 0 });
  expect(throughput.emitter(balance(10, 0), 'file')).toEqual({
    recordsPerSecond: 0,
    catchUpSeconds: undefined,
  });
});

test('discarded records and a new emitter make no negative rates', async () => {
  const throughput = await measured([[1000, 500]]);
  expect(throughput.emitter(balance(1000, 400), 'file').recordsPerSecond).toBe(0);
  expect(throughput.emitter(balance(1000, 400), 'new')).toEqual({ recordsPerSecond: 0, catchUpSeconds: 0 });
});
