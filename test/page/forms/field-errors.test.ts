import { expect, it } from 'vitest';
import { Problem } from '../../../src/page/api/problem.ts';
import { durationOptions } from '../../../src/page/forms/duration-options.ts';
import { errorOf, otherErrors } from '../../../src/page/forms/field-errors.ts';

const problem = new Problem('invalid', {
  message: 'The request has 3 problems.',
  details: [
    { path: 'id', message: 'expected a name' },
    { path: 'filter.where[0].expression', message: 'unknown word' },
    { path: 'other', message: 'is not known' },
  ],
});

it('a problem is shown at its field, also one about a part of the field', () => {
  expect(errorOf(problem, 'id')).toBe('expected a name');
  expect(errorOf(problem, 'filter')).toBe('unknown word');
  expect(errorOf(problem, 'level')).toBeUndefined();
});

it('problems of no field are shown below the form', () => {
  expect(otherErrors(problem, ['id', 'filter'])).toEqual(['other: is not known']);
  expect(otherErrors(new Problem('invalid', { message: 'It exists already.' }), ['id'])).toEqual([
    'It exists already.',
  ]);
  expect(otherErrors(undefined, [])).toEqual([]);
});

it('a duration that is not among the choices is added to them, in order', () => {
  expect(durationOptions([60, 3600], '90').map(({ text }) => text)).toEqual(['1 min', '1 min 30 s', '1 h']);
  expect(durationOptions([0, 60], '60').map(({ text }) => text)).toEqual(['at once', '1 min']);
});
