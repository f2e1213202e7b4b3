import { expect, it } from 'vitest';
import { levelOf, levelOfSeverity } from '../../../src/protocols/gelf/gelf-level.ts';

it.each([
  ['emerg', 0],
  ['Alert', 1],
  ['CRIT', 2],
  ['fatal', 2],
  ['error', 3],
  ['warn', 4],
  [' notice ', 5],
  ['info', 6],
  ['trace', 7],
  [0, 0],
  [7, 7],
  [8, undefined],
  [1.5, undefined],
  ['toString', undefined],
  [undefined, undefined],
])('maps %s to level %s', (given, level) => {
  expect(levelOf(given)).toBe(level);
});

it('falls with rising severity', () => {
  const levels = Array.from(
    { length: 24 },
    (_, index) => levelOfSeverity(index + 1, undefined) ?? Number.NaN,
  );
  expect(levels).toEqual([7, 7, 7, 7, 7, 7, 7, 7, 6, 5, 5, 5, 4, 4, 4, 4, 3, 2, 1, 1, 0, 0, 0, 0]);
});

it('prefers a known name to the number, but not an unknown one', () => {
  expect(levelOfSeverity(21, 'FATAL')).toBe(2);
  expect(levelOfSeverity(17, 'LOG')).toBe(3);
  expect(levelOfSeverity(0, undefined)).toBeUndefined();
  expect(levelOfSeverity(undefined, undefined)).toBeUndefined();
});
