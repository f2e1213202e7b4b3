import { expect, it } from 'vitest';
import { changesOf } from '../../../src/page/filters/trial-changes.ts';

it('lists what a filter added, changed and removed, by the paths of nested values', () => {
  const before = { body: 'x', attributes: { a: 1, order: { id: 7, note: 'n' } } };
  const after = { body: 'x', attributes: { a: 2, order: { id: 7 }, tags: ['failed'] } };
  expect(changesOf(before, after)).toEqual([
    { name: 'attributes.a', before: '1', after: '2' },
    { name: 'attributes.order.note', before: 'n', after: undefined },
    { name: 'attributes.tags', before: undefined, after: '["failed"]' },
  ]);
});

it('lists nothing for a record that is as before', () => {
  const record = { body: 'x', attributes: {}, list: [1, { a: 1 }] };
  expect(changesOf(record, structuredClone(record))).toEqual([]);
});
