import { expect, it } from 'vitest';
import { AcceptedReads } from '../../../../../src/collector/sources/tail/reading/accepted-reads.ts';

function readTwice(): AcceptedReads {
  const reads = new AcceptedReads();
  reads.read(100, { records: 10, bytes: 100 });
  reads.read(150, { records: 5, bytes: 50 });
  return reads;
}

it('counts records that are accepted, not those that are only read', () => {
  const reads = readTwice();
  expect(reads.accepted).toEqual({ records: 0, bytes: 0 });
  reads.accept(100);
  expect(reads.accepted).toEqual({ records: 10, bytes: 100 });
  reads.accept(150);
  reads.accept(150);
  expect(reads.accepted).toEqual({ records: 15, bytes: 150 });
});

it('counts records once that are sent again', () => {
  const reads = readTwice();
  reads.restartAt(0);
  reads.read(100, { records: 10, bytes: 100 });
  reads.accept(100);
  expect(reads.accepted).toEqual({ records: 10, bytes: 100 });
});

it('counts records that were accepted although the answer was lost', () => {
  const reads = readTwice();
  reads.restartAt(100);
  reads.read(150, { records: 5, bytes: 50 });
  reads.accept(150);
  expect(reads.accepted).toEqual({ records: 15, bytes: 150 });
});
