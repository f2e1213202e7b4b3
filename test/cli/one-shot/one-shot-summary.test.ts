import { describe, expect, it } from 'vitest';
import { type OneShotEnd, oneShotSummary } from '../../../src/cli/one-shot/one-shot-summary.ts';

const END: OneShotEnd = {
  accepted: { records: 1234, bytes: 56_789 },
  ...{ remainingBytes: 0, left: [], lostBytes: 0, undeliveredRecords: undefined },
};

describe('the summary of a one-shot run', () => {
  it('is complete when nothing is left', () => {
    expect(oneShotSummary(END)).toEqual({ text: 'Read 1,234 records (55.5 KiB)', isComplete: true });
  });

  it('reports records that the aggregator has not yet delivered; they do not make the run incomplete', () => {
    expect(oneShotSummary({ ...END, undeliveredRecords: 1 })).toEqual({
      text: 'Read 1,234 records (55.5 KiB); the aggregator has not yet delivered 1 record',
      isComplete: true,
    });
  });

  it('is one line that names at most three files for each reason and counts the others', () => {
    const unread = (name: string) => ({ path: `/logs/${name}`, bytes: 10, reason: 'unread' as const });
    const { text, isComplete } = oneShotSummary({
      ...END,
      left: [
        ...['a', 'b', 'c', 'd'].map(unread),
        { path: '/logs/x\ny', reason: 'unreadable' },
        { path: '/logs/z', bytes: 5, reason: 'refused', refusal: 'too many streams' },
      ],
      lostBytes: 7,
      rejectedRecords: 2,
    });
    expect(isComplete).toBe(false);
    expect(text).toBe(
      'Read 1,234 records (55.5 KiB); left: 4 files not read to the end, 40 B (/logs/a, /logs/b, /logs/c, ...); ' +
        'a file that cannot be read (/logs/x\\ny); a file that the aggregator rejected, 5 B (/logs/z: too many streams); ' +
        '7 B that were gone before they could be read; 2 records that an emitter rejected (mega-collector dead-letters list)',
    );
  });
});
