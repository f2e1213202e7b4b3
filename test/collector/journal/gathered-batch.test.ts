import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GatheredBatch } from '../../../src/collector/journal/gathered-batch.ts';
import { PeerColumnBuilder, peerOf } from '../../../src/records/peer-column.ts';
import { endOf, NO_MARKS, type RecordBatch } from '../../../src/records/record-batch.ts';
import { EMPTY_RESOURCE, type Resource } from '../../../src/records/resource.ts';
import type { StreamId } from '../../../src/records/stream-id.ts';

const STREAM = '00112233445566778899aabbccddeeff' as StreamId;
const X: Resource = new Map([['peer', 'x']]);
const Y: Resource = new Map([['peer', 'y']]);

interface Sent {
  readonly text: string;
  readonly peer: Resource | undefined;
}

const someRecord: fc.Arbitrary<Sent> = fc.record({
  text: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 12 }),
  peer: fc.constantFrom(X, X, X, Y, undefined),
});
const someEntries = fc.array(fc.array(someRecord, { minLength: 1, maxLength: 8 }), {
  minLength: 1,
  maxLength: 8,
});

function entryOf(records: readonly Sent[], start: number): RecordBatch {
  const peers = new PeerColumnBuilder();
  for (const { peer } of records) peers.add(peer);
  return {
    ...{ stream: STREAM, start, resource: EMPTY_RESOURCE, format: 'plain', observedTimeUnixNano: 1n },
    sizes: Uint32Array.from(records, ({ text }) => text.length),
    marks: NO_MARKS,
    data: Buffer.from(records.map(({ text }) => text).join('')),
    ...peers.done(),
  };
}

function entriesOf(groups: readonly (readonly Sent[])[]): readonly RecordBatch[] {
  let start = 100;
  return groups.map((records) => {
    const entry = entryOf(records, start);
    start = endOf(entry);
    return entry;
  });
}

/** Batches as the publisher reads them: each begins where the one before it ends. */
function batchesOf(
  entries: readonly RecordBatch[],
  bufferBytes: number,
  hasPeerColumn: boolean,
): RecordBatch[] {
  const batches: RecordBatch[] = [];
  const end = endOf(entries.at(-1) as RecordBatch);
  for (let at = entries[0]?.start ?? 0; at < end; at = endOf(batches.at(-1) as RecordBatch)) {
    const gathered = new GatheredBatch(Buffer.alloc(bufferBytes), hasPeerColumn);
    for (const entry of entries)
      if (endOf(entry) > at && !gathered.add(entry, Math.max(at, entry.start))) break;
    batches.push(gathered.done(STREAM, 0));
  }
  return batches;
}

function sentOf(batch: RecordBatch): Sent[] {
  let from = 0;
  return Array.from(batch.sizes, (size, index) => {
    const text = Buffer.from(batch.data).toString('latin1', from, from + size);
    from += size;
    return { text, peer: peerOf(batch, index) };
  });
}

it('returns each record once, with its peer, for all sizes of entries and buffers', () => {
  fc.assert(
    fc.property(someEntries, fc.integer({ min: 12, max: 200 }), (groups, bufferBytes) => {
      const batches = batchesOf(entriesOf(groups), bufferBytes, true);
      expect(batches.flatMap(sentOf)).toEqual(groups.flat());
      for (const { data } of batches) expect(data.length).toBeLessThanOrEqual(bufferBytes);
    }),
  );
});

it('fills the buffer with the begin of an entry that does not fit', () => {
  const entries = entriesOf([
    [{ text: 'aaaa', peer: X }],
    [
      { text: 'bbbb', peer: X },
      { text: 'cccc', peer: X },
    ],
  ]);
  expect(batchesOf(entries, 10, true).map(({ sizes }) => [...sizes])).toEqual([[4, 4], [4]]);
});

it('has only records of one peer in a batch without the column of peers', () => {
  fc.assert(
    fc.property(someEntries, fc.integer({ min: 12, max: 200 }), (groups, bufferBytes) => {
      const batches = batchesOf(entriesOf(groups), bufferBytes, false);
      const sent = batches.flatMap((batch) =>
        sentOf(batch).map(({ text }) => ({ text, peer: batch.resource.get('peer') })),
      );
      expect(sent).toEqual(groups.flat().map(({ text, peer }) => ({ text, peer: peer?.get('peer') })));
      for (const { recordPeers } of batches) expect(recordPeers).toBeUndefined();
    }),
  );
});
