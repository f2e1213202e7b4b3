import { expect, it } from 'vitest';
import { compilePattern, MAX_PATTERN_TEXT } from '../../src/patterns/compile-pattern.ts';
import { sizeOf } from '../../src/patterns/pattern-node.ts';

/** A linear engine needs at most one step for each state and each character. */
it('a pattern has at most 10,000 states with its counted repetitions written out', () => {
  expect(sizeOf(compilePattern('(?:a{30}){30}').tree)).toBeGreaterThan(900);
  expect(() => compilePattern('(?:a{100}){100}')).toThrow('counted repetitions are too large');
});

it('a pattern sees at most 65,536 characters of a text', () => {
  const pattern = compilePattern('b');
  expect(pattern.test(`${'a'.repeat(MAX_PATTERN_TEXT - 1)}b`)).toBe(true);
  expect(pattern.test(`${'a'.repeat(MAX_PATTERN_TEXT)}b`)).toBe(false);
  expect(MAX_PATTERN_TEXT).toBe(65_536);
});
