import { expect, test } from 'vitest';
import { entriesBetween } from '../../../../src/collector/sources/journald/cursor-gap.ts';

const cursor = (source: string, number: string) => `s=${source};i=${number};b=12;m=3;t=4;x=5`;

test('counts the entries between two numbers of one journald', () => {
  expect(entriesBetween(cursor('ab', 'f'), cursor('ab', '1a'))).toBe(10);
  expect(entriesBetween(cursor('ab', 'f'), cursor('ab', '10'))).toBe(0);
});

test('is unknown for another numbering, without a next entry, and for an unknown cursor', () => {
  expect(entriesBetween(cursor('ab', 'f'), cursor('cd', '1a'))).toBeUndefined();
  expect(entriesBetween(cursor('ab', 'f'), undefined)).toBeUndefined();
  expect(entriesBetween('x', cursor('ab', 'f'))).toBeUndefined();
});
