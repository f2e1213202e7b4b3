import { describe, expect, test } from 'vitest';
import { ExpressionError } from '../../src/expressions/expression-error.ts';
import { expandGroups, groupsIn } from '../../src/expressions/log-groups.ts';
import { parseExpression } from '../../src/expressions/parse-expression.ts';

const GROUPS = new Map([
  ['checkout', 'service.name == "checkout" or url.path starts_with "/pay"'],
  ['slow', 'duration > 500'],
]);

function problemOf(text: string): ExpressionError {
  try {
    expandGroups(text, GROUPS);
  } catch (error) {
    if (error instanceof ExpressionError) return error;
    throw error;
  }
  throw new Error('no problem');
}

describe('a log group in an expression', () => {
  test('is replaced by its expression in parentheses', () => {
    expect(expandGroups('not group("checkout") and group( \'slow\' )', GROUPS)).toBe(
      'not (service.name == "checkout" or url.path starts_with "/pay") and (duration > 500)',
    );
    expect(expandGroups('status_code >= 500', GROUPS)).toBe('status_code >= 500');
  });

  test('that is in a text, or a property with that name, is no group', () => {
    for (const text of ['body contains "group(\\"slow\\")"', 'group == 5', 'exists group'])
      expect(expandGroups(text, GROUPS)).toBe(text);
  });

  test('has a place', () => {
    expect(groupsIn('a == 1 and group("slow")')).toEqual([{ id: 'slow', offset: 11, end: 24, idOffset: 17 }]);
  });

  test('that does not exist is reported with the nearest name', () => {
    const { reason, offset, length, nearest } = problemOf('a == 1 and group("chekout")');
    expect({ reason, offset, length, nearest }).toEqual({
      reason: 'there is no log group "chekout"; did you mean checkout?',
      offset: 17,
      length: 9,
      nearest: ['checkout'],
    });
  });

  test('is rejected if the expression is too large with it', () => {
    const large = new Map([['large', Array.from({ length: 150 }, (_, at) => `a == ${at}`).join(' or ')]]);
    expect(() => expandGroups('group("large") or group("large")', large)).toThrow(
      'with the expressions of its log groups: an expression has at most 200 terms',
    );
  });

  test('is rejected in a filter', () => {
    expect(() => parseExpression('group("slow")')).toThrow(
      'a log group can be used in searches, metrics and alerts only',
    );
  });
});
