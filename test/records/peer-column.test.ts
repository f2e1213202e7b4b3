import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { onlyPeerOf, PeerColumnBuilder, peerOf } from '../../src/records/peer-column.ts';
import type { Resource } from '../../src/records/resource.ts';

const PEERS: readonly (Resource | undefined)[] = [
  undefined,
  new Map([['network.peer.address', '10.0.0.1']]),
  new Map([['network.peer.address', '10.0.0.2']]),
  // Equal to another one.
  new Map([['network.peer.address', '10.0.0.1']]),
];

const someRuns = fc.array(
  fc.record({ peer: fc.constantFrom(...PEERS), records: fc.integer({ min: 1, max: 40 }) }),
  { maxLength: 12 },
);

describe('PeerColumnBuilder', () => {
  it('returns the peer of each record, added one by one or many at once', () => {
    fc.assert(
      fc.property(someRuns, (runs) => {
        const many = new PeerColumnBuilder();
        const single = new PeerColumnBuilder();
        for (const { peer, records } of runs) {
          many.add(peer, records);
          for (let record = 0; record < records; record++) single.add(peer);
        }
        const expected = runs.flatMap(({ peer, records }) => Array.from({ length: records }, () => peer));
        const column = many.done();
        expect(expected.map((_, index) => peerOf(column, index))).toEqual(expected);
        expect(single.done()).toEqual(column);
        expect(column.recordPeers?.length ?? 0).toBe(column.peers === undefined ? 0 : expected.length);
      }),
    );
  });

  it('has one entry for equal attributes', () => {
    const builder = new PeerColumnBuilder();
    for (const peer of PEERS) builder.add(peer);
    expect(builder.done()).toEqual({ peers: [PEERS[1], PEERS[2]], recordPeers: Uint32Array.of(0, 1, 2, 1) });
  });

  it('is empty when no record has a peer', () => {
    const builder = new PeerColumnBuilder();
    builder.add(undefined, 3);
    expect(builder.done()).toEqual({});
  });
});

describe('onlyPeerOf', () => {
  it('returns the peer of all records', () => {
    const builder = new PeerColumnBuilder();
    builder.add(PEERS[1], 3);
    expect(onlyPeerOf(builder.done())).toBe(PEERS[1]);
  });

  it('returns nothing when a record has another peer or none', () => {
    for (const other of [undefined, PEERS[2]]) {
      const builder = new PeerColumnBuilder();
      builder.add(PEERS[1], 2);
      builder.add(other);
      expect(onlyPeerOf(builder.done())).toBeUndefined();
    }
    expect(onlyPeerOf({})).toBeUndefined();
  });
});
