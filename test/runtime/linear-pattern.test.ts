import { describe, expect, it } from 'vitest';
import { compileLinearPattern, type LinearPattern } from '../../src/runtime/linear-pattern.ts';

function compiled(source: string): LinearPattern {
  const result = compileLinearPattern(source);
  if (result.kind === 'refused') throw new Error(result.reason);
  return result.pattern;
}

describe('a pattern that is tested in linear time', () => {
  it.each([
    ['^(\\w+\\s?)+:$', `${'a'.repeat(60_000)}!`],
    ['^(a+)+$', `${'a'.repeat(60_000)}!`],
    ['^(a|aa)+$', `${'a'.repeat(60_000)}!`],
    ['(.*)*x', 'a'.repeat(2_000)],
    ['x{1,200}y{1,200}$', `${'x'.repeat(60_000)}!`],
  ])('answers for %s, where a backtracking engine would not end', (source, text) => {
    expect(compiled(source).test(text)).toBe(false);
  });

  it.each([
    ['^\\d{4}-\\d{2}-\\d{2}', '2026-11-20 message', ' at line'],
    ['^\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?', '2026-11-20 08:00:00.123 x', 'x'],
    ['^\\s', '\tat main', 'main'],
    ['^[(?=]', '(x', 'x'],
    ['^\\(\\?=', '(?=', '?'],
    ['^\\w{1,40}:', 'key: value', ': value'],
    ['^\\[\\d{1,3}(\\.\\d{1,3}){3}\\]', '[10.0.0.1] x', '[10.0.0] x'],
  ])('matches as the ordinary engine does: %s', (source, matching, other) => {
    const pattern = compiled(source);
    expect([pattern.test(matching), pattern.test(other)]).toEqual([true, false]);
  });

  it.each([
    ['^(?!\\s)', /^look-around .*\^\\S instead/],
    ['(?<=a)b', /^look-around/],
    ['(a)\\1', /^back-references/],
    ['(?<x>a)\\k<x>', /^back-references/],
    ['(a+){1,200}', /counted repetitions are too large/],
    ['(a|aa){30}b', /counted repetitions are too large/],
    ['(a?){60}a{60}', /counted repetitions are too large/],
    ['a{1,99}a{1,99}a{1,99}$', /counted repetitions are too large/],
    ['(', /Unterminated group/],
  ])('rejects %s with an alternative', (source, reason) => {
    expect(compileLinearPattern(source)).toEqual({ kind: 'refused', reason: expect.stringMatching(reason) });
  });
});
