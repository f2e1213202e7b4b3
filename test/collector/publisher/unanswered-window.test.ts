import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnansweredWindow } from '../../../src/collector/publisher/unanswered-window.ts';

describe('UnansweredWindow', () => {
  it('reports only the contiguous answered bytes', () => {
    const window = new UnansweredWindow();
    window.sent({ sequence: 1, start: 0, end: 10 });
    window.sent({ sequence: 2, start: 10, end: 25 });
    window.sent({ sequence: 3, start: 25, end: 40 });
    expect(window.accepted(2)).toBeUndefined();
    expect(window.accepted(1)).toBe(25);
    expect(window.size).toBe(1);
    expect(window.accepted(3)).toBe(40);
  });

  it('accepts answers in any order, and never passes a gap', () => {
    const order = fc.shuffledSubarray(Array.from({ length: 12 }, (_, i) => i + 1));
    fc.assert(
      fc.property(order, (answers) => {
        const window = new UnansweredWindow();
        for (let i = 1; i <= 12; i++) window.sent({ sequence: i, start: (i - 1) * 10, end: i * 10 });
        let end = 0;
        const answered = new Set<number>();
        for (const sequence of answers) {
          answered.add(sequence);
          end = window.accepted(sequence) ?? end;
          let contiguous = 0;
          while (answered.has(contiguous + 1)) contiguous++;
          expect(end).toBe(contiguous * 10);
        }
      }),
    );
  });

  it('ignores answers to unknown batches', () => {
    expect(new UnansweredWindow().accepted(7)).toBeUndefined();
  });
});
