import { expect, test } from 'vitest';
import { SerialQueue } from '../../../src/runtime/async/serial-queue.ts';
import { Trimming, type TrimmingParts } from '../../../src/storage/queue/trimming.ts';

/** A queue whose only segment is passed and sealed; the next one begins while rows are removed, and is sealed too. */
function passedQueue() {
  const removed: number[] = [];
  const failures: unknown[] = [];
  const log = {
    segments: [7],
    writingSegment: undefined,
    sizeOf: () => 0,
    remove: async (segment: number) => void removed.push(segment),
  };
  const index = {
    first: 0,
    firstRow: 0,
    next: 3,
    row: () => undefined,
    firstEntryIn: (segment: number) => (segment > 7 ? 3 : 0),
    trimmed: () => {},
    removedRows: (before: number) => {
      index.firstRow = before;
    },
  };
  const parts = {
    ...{ log, index, logTurns: new SerialQueue(), segmentBytes: 1, isStopped: () => false },
    cursors: { furthestBehind: () => ({ row: { entry: 3 } }) },
    store: {
      write: async () => {
        log.segments = [7, 8, 9];
      },
    },
    tables: { entries: { remove: () => {} } },
    events: { backgroundWriteFailed: (event: unknown) => void failures.push(event) },
    onTrimmed: async () => {},
  };
  return { trimming: new Trimming(parts as unknown as TrimmingParts), removed, failures };
}

test('keeps the segments that begin while earlier ones are removed', async () => {
  const { trimming, removed, failures } = passedQueue();
  await trimming.trim();
  expect(failures).toEqual([]);
  expect(removed).toEqual([7]);
});
