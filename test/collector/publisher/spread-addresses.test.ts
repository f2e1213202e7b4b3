import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { spreadAddresses } from '../../../src/collector/publisher/spread-addresses.ts';

const ADDRESSES = ['logs-1:8000', 'logs-2:8000', 'logs-3:8000'];
const COLLECTORS = Array.from({ length: 3_000 }, (_, i) => createHash('md5').update(String(i)).digest());

/** The number of collectors for which each address is at this place. */
function countsAt(place: number, collectors: readonly Buffer[], addresses = ADDRESSES): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of collectors) {
    const address = spreadAddresses(addresses, id)[place] ?? '';
    counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  return counts;
}

const first = (id: Buffer, addresses = ADDRESSES) => spreadAddresses(addresses, id)[0];

describe('addresses that are spread', () => {
  test('are the first choice of an equal share of the collectors', () => {
    for (const count of countsAt(0, COLLECTORS).values()) expect(count).toBeGreaterThan(900);
  });

  test('take over equal shares of the collectors of one that fails', () => {
    const orphans = COLLECTORS.filter((id) => first(id) === ADDRESSES[0]);
    const counts = countsAt(1, orphans);
    expect([...counts.keys()].toSorted()).toEqual(ADDRESSES.slice(1));
    for (const count of counts.values()) expect(count).toBeGreaterThan(orphans.length * 0.4);
  });

  test('have one order for a collector, whatever the order of the list', () => {
    const id = COLLECTORS[0] as Buffer;
    expect(spreadAddresses(ADDRESSES.toReversed(), id)).toEqual(spreadAddresses(ADDRESSES, id));
    expect(spreadAddresses(ADDRESSES, id).toSorted()).toEqual(ADDRESSES);
  });

  test('lose collectors to a new address only', () => {
    const more = [...ADDRESSES, 'logs-4:8000'];
    const moved = COLLECTORS.filter((id) => first(id) !== first(id, more));
    expect(moved.length).toBeGreaterThan(600);
    expect(new Set(moved.map((id) => first(id, more)))).toEqual(new Set(['logs-4:8000']));
  });
});
