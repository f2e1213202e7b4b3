import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/patterns/compile-pattern.ts';
import { PatternError } from '../../src/patterns/pattern-error.ts';
import { requiredLiteral } from '../../src/patterns/required-literal.ts';

const literalOf = (source: string, flags?: 'i') => requiredLiteral(compilePattern(source, flags).tree);

describe('the text that every match has', () => {
  it.each([
    ['timeout', 'timeout'],
    ['^payment failed$', 'payment failed'],
    ['order (\\d+) failed after', ' failed after'],
    ['a(bc)d', 'abcd'],
    ['(error)+: x', 'error'],
    ['colou?r', 'colo'],
    ['a|b', ''],
    ['(?:abc)?', ''],
    ['(?:abc|abd)xyz', 'xyz'],
    ['[.]1[.]2', '.1.2'],
    ['\\d{3}', ''],
    ['', ''],
    ['\\bab\\b', 'ab'],
    ['x{2}yz', 'yz'],
  ])('of %s is "%s"', (source, expected) => {
    expect(literalOf(source)).toBe(expected);
  });

  it('has no letter if the case is ignored', () => {
    expect(literalOf('timeout 504:', 'i')).toBe(' 504:');
  });

  it('is in each text that matches', () => {
    const source = fc
      .array(
        fc.constantFrom(
          'a',
          'b',
          'ab',
          '(',
          ')',
          '|',
          '?',
          '*',
          '+',
          '{2}',
          '{0,1}',
          '[ab]',
          '.',
          '^',
          '$',
          '\\b',
        ),
        {
          maxLength: 10,
        },
      )
      .map((parts) => parts.join(''));
    const text = fc
      .array(fc.constantFrom('a', 'b', 'ab', ' '), { maxLength: 10 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(source, fc.array(text, { minLength: 5, maxLength: 5 }), (pattern, texts) => {
        try {
          const compiled = compilePattern(pattern);
          const literal = requiredLiteral(compiled.tree);
          for (const each of texts) if (compiled.test(each)) expect(each).toContain(literal);
        } catch (error) {
          if (!(error instanceof PatternError)) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });
});
