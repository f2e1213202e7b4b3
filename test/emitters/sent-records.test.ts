import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SentRecords } from '../../src/emitters/sent-records.ts';
import { lines, recordBatch } from '../support/record-batches.ts';

it('returns exactly the unsent records', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 }),
      (records) => {
        const slice = recordBatch(lines(records.length), { start: 1_000 });
        const sent = new SentRecords();
        sent.addDelivered(slice, (index) => records[index]?.[0] ?? false);
        sent.addDelivered(slice, (index) => records[index]?.[1] ?? false);
        const runs = sent.unsent(slice);
        const found = runs.flatMap(({ slice: run, from }) => {
          expect(run.data.length).toBe(run.sizes.reduce((sum, size) => sum + size, 0));
          const before = slice.sizes.subarray(0, from).reduce((sum, size) => sum + size, 0);
          expect(run.start).toBe(slice.start + before);
          return Array.from(run.sizes, (_, index) => from + index);
        });
        const expected = records.flatMap(([once, again], index) => (once || again ? [] : [index]));
        expect(found).toEqual(expected);
      },
    ),
  );
});

it('separates streams, and forgets them', () => {
  const [one, other] = [recordBatch(lines(3)), recordBatch(lines(3))];
  const sent = new SentRecords();
  sent.addDelivered(one, () => true);
  expect(sent.unsent(one)).toEqual([]);
  expect(sent.unsent(other)).toEqual([{ slice: other, from: 0 }]);
  sent.forget(one.stream);
  expect(sent.unsent(one)).toEqual([{ slice: one, from: 0 }]);
});
