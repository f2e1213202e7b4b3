import { expect, it } from 'vitest';
import { AcceptedReads } from '../../../../../src/collector/sources/tail/reading/accepted-reads.ts';

function readTwice(): AcceptedReads {
  const reads = new AcceptedReads();
  reads.read(100, { records: 10, bytes: 100 });
  reads.read(150, { records: 5, bytes: 50 });
  return reads;
}

it('counts what is accepted, not what is read', () => {
  const reads = readTwice();
  expect(reads.accepted).toEqual({ records: 0, bytes: 0 });
  reads.accept(100);
  expect(reads.accepted).toEqual({ records: 10, bytes: 100 });
  reads.accept(150);
  reads.accept(150);
  expect(reads.accepted).toEqual({ records: 15, bytes: 150 });
});

it('counts what is sent again once', () => {
  const reads = readTwice();
  reads.restartAt(0);
  reads.read(100, { records: 10, bytes: 100 });
  reads.accept(100);
  expect(reads.accepted).toEqual({ records: 10, bytes: 100 });
});

it('counts what was accepted without an answer', () => {
  const reads = readTwice();
  reads.restartAt(100);
  reads.read(150, { records: 5, bytes: 50 });
  reads.accept(150);
  expect(reads.accepted).toEqual({ records: 15, bytes: 150 });
});
