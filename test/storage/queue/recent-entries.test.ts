import { describe, expect, test } from 'vitest';
import type { RecordBatch } from '../../../src/records/record-batch.ts';
import { RecentEntries } from '../../../src/storage/queue/recent-entries.ts';
import { recordBatch } from '../../support/record-batches.ts';

const MIB = 1024 * 1024;

function recentEntries() {
  const unused: Uint8Array[] = [];
  return { entries: new RecentEntries((bytes) => unused.push(bytes)), unused };
}

const large = (): RecordBatch => recordBatch([Buffer.alloc(MIB, 'a')]);

describe('RecentEntries', () => {
  test('reports the memory of an entry that no emitter has read when it becomes too old', () => {
    const { entries, unused } = recentEntries();
    const batches = Array.from({ length: 8 }, large);
    for (const [index, batch] of batches.entries()) entries.add(index + 1, batch, true);
    expect(unused).toHaveLength(2);
    expect(unused[1]).toBe(batches[1]?.data);
    expect(entries.get(2)).toBeUndefined();
    expect(entries.get(3)).toBe(batches[2]);
  });

  test('reports a borrowed entry only after each borrower has returned it and all emitters have passed it', () => {
    const { entries, unused } = recentEntries();
    const [one, two] = [{}, {}];
    const batch = large();
    entries.add(1, batch, true);
    entries.get(1, one);
    entries.get(1, two);
    entries.passed(2);
    entries.returned(one, 2);
    expect(unused).toHaveLength(0);
    entries.returned(two, 1);
    expect(unused).toHaveLength(0);
    entries.returned(two, 2);
    expect(unused).toHaveLength(1);
    expect(unused[0]).toBe(batch.data);
  });

  test('reports an entry that was returned before all emitters have passed it', () => {
    const { entries, unused } = recentEntries();
    const borrower = {};
    entries.add(1, large(), true);
    entries.get(1, borrower);
    entries.returned(borrower, 2);
    expect(unused).toHaveLength(0);
    entries.passed(2);
    expect(unused).toHaveLength(1);
  });

  test('never reports an entry that another caller has read', () => {
    const { entries, unused } = recentEntries();
    const borrower = {};
    entries.add(1, large(), true);
    entries.get(1, borrower);
    entries.get(1);
    entries.returned(borrower, 2);
    entries.passed(2);
    expect(unused).toHaveLength(0);
  });

  test('never reports an entry that shares its memory with others', () => {
    const { entries, unused } = recentEntries();
    entries.add(1, large(), false);
    entries.passed(2);
    expect(unused).toHaveLength(0);
  });

  test('holds at most 16 MiB for borrowers, and never reports the entries that it had to forget', () => {
    const { entries, unused } = recentEntries();
    const borrower = {};
    for (let entry = 1; entry <= 40; entry++) {
      entries.add(entry, large(), true);
      entries.get(entry, borrower);
    }
    entries.passed(41);
    entries.returned(borrower, 41);
    expect(unused).toHaveLength(16);
  });
});
