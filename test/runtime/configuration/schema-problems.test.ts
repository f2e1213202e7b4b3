import { expect, test } from 'vitest';
import { z } from 'zod';
import { schemaProblems } from '../../../src/runtime/configuration/schema-problems.ts';

const entry = z.strictObject({
  paths: z.array(z.string()),
  start: z.enum(['beginning', 'end']).optional(),
  count: z.number().optional(),
  own: z.string().min(3, 'expected three characters').optional(),
});

test.each([
  [[{}], 'V[0].paths', 'expected a list, found nothing'],
  [[{ paths: ['a', 1] }], 'V[0].paths[1]', 'expected a text, found a number'],
  [[{ paths: [], start: 'middle' }], 'V[0].start', 'expected one of beginning, end'],
  [[{ paths: [], count: 'x' }], 'V[0].count', 'expected a number, found a text'],
  [[{ paths: [], own: 'x' }], 'V[0].own', 'expected three characters'],
  [[{ paths: [], strat: 'end' }], 'V[0].strat', 'is not a known key; did you mean "start"?'],
  [[{ paths: [], nonsense: 1 }], 'V[0].nonsense', 'is not a known key'],
  [{}, 'V', 'expected a list, found an object'],
])('%j', (value, variable, message) => {
  const { error } = z.array(entry).safeParse(value);
  if (error === undefined) throw new Error('it is valid');
  const known = (path: readonly PropertyKey[]) => (path.length === 1 ? Object.keys(entry.shape) : []);
  expect(schemaProblems('V', error, known)).toEqual([{ variable, message }]);
});
