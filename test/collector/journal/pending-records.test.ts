import { describe, expect, it } from 'vitest';
import { runMemory } from '../../../src/collector/journal/growing-run.ts';
import { PendingRecords, type RecordOrder } from '../../../src/collector/journal/pending-records.ts';
import type { RecordLabel } from '../../../src/collector/journal/record-run.ts';
import { systemClock } from '../../../src/runtime/clock.ts';

const labelOf = (host: string): RecordLabel => ({
  format: 'plain',
  resource: new Map([['host.name', host]]),
});
const [A, B] = [labelOf('a'), labelOf('b')];

function pendingRecords(order: RecordOrder) {
  const pending = new PendingRecords(runMemory(256 * 1024, systemClock));
  pending.order = order;
  const add = (label: RecordLabel, ...records: string[]) => {
    for (const record of records) pending.add({ bytes: Buffer.from(record), label }, () => 7n);
  };
  /** The host and the records of each run. */
  const take = () =>
    pending.take().map(({ label, sizes, data }) => {
      const texts = Array.from(sizes, (size, index) => {
        const start = sizes.subarray(0, index).reduce((sum, each) => sum + each, 0);
        return Buffer.from(data.subarray(start, start + size)).toString();
      });
      return [label.resource.get('host.name') ?? '', ...texts];
    });
  return { pending, add, take };
}

describe('PendingRecords', () => {
  it('keeps the order of arrival by default, with a run for each change of the label', () => {
    const { add, take } = pendingRecords('arrival');
    add(A, '1');
    add(B, '2', '3');
    add(A, '4');
    expect(take()).toEqual([
      ['a', '1'],
      ['b', '2', '3'],
      ['a', '4'],
    ]);
  });

  it('keeps one run for each label while senders alternate, with the order of each sender', () => {
    const { add, take } = pendingRecords('label');
    for (let number = 0; number < 3; number++) {
      add(A, `a${number}`);
      add(B, `b${number}`);
    }
    expect(take()).toEqual([
      ['a', 'a0', 'a1', 'a2'],
      ['b', 'b0', 'b1', 'b2'],
    ]);
    expect(take()).toEqual([]);
  });

  it('begins a new run of a label when one is large, after the one before', () => {
    const { add, take } = pendingRecords('label');
    const large = 'x'.repeat(200_000);
    add(A, large);
    add(B, 'b');
    add(A, large, 'a');
    expect(take().map(([host, ...records]) => [host, records.map(({ length }) => length)])).toEqual([
      ['a', [200_000]],
      ['b', [1]],
      ['a', [200_000, 1]],
    ]);
  });

  it('ends the oldest run when too many are open', () => {
    const { add, take } = pendingRecords('label');
    const labels = Array.from({ length: 2000 }, (_, number) => labelOf(`${number}`));
    for (const label of labels) add(label, 'first');
    for (const label of labels.slice(-10)) add(label, 'second');
    const runs = take();
    expect(runs).toHaveLength(2000);
    expect(runs.at(-1)).toEqual(['1999', 'first', 'second']);
  });

  it('adds a loss report after the records before it, and returns runs that were put back first', () => {
    const { pending, add, take } = pendingRecords('label');
    add(A, 'before');
    const loss = { records: 1, bytes: 1, fromUnixMs: 0, toUnixMs: 0 };
    pending.addLossReport(loss, Buffer.from('lost'), B, () => 7n);
    const taken = pending.take();
    expect(taken.map(({ lossReport }) => lossReport)).toEqual([undefined, loss]);
    add(A, 'after');
    pending.putBack(taken);
    expect(take()).toEqual([
      ['a', 'before'],
      ['b', 'lost'],
      ['a', 'after'],
    ]);
    expect(pending.isEmpty).toBe(true);
  });
});
