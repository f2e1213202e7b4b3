import fc from 'fast-check';
import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { type CompiledPattern, compilePattern } from '../../src/patterns/compile-pattern.ts';
import { PatternError } from '../../src/patterns/pattern-error.ts';
import { re2Pattern } from '../../src/patterns/write-pattern.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);

describe('a pattern of a person', () => {
  it.each([
    ['^(\\w+\\s?)+:$', `${'a'.repeat(60_000)}!`],
    ['^(a+)+$', `${'a'.repeat(60_000)}!`],
    ['^(a|aa)+$', `${'a'.repeat(60_000)}!`],
    ['(.*)*x', 'a'.repeat(60_000)],
    ['x{1,200}y{1,200}$', `${'x'.repeat(60_000)}!`],
    ['(x+x+)+y', 'x'.repeat(60_000)],
    ['\\w+\\w+\\w+:', 'a'.repeat(60_000)],
    ['(?:\\w+ ){0,12}:', 'a'.repeat(60_000)],
    ['(a?){60}a{60}b', 'a'.repeat(2000)],
    ['(?:a|b|){30}c', 'a'.repeat(60_000)],
    ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'.repeat(60_000)],
    ['(a|b|ab)*c', 'ab'.repeat(30_000)],
    ['\\s+$', `${' '.repeat(60_000)}x`],
    ['^(?:.*,){11}P', ','.repeat(60_000)],
    ['(?:(?:(?:a*)*)*)*b', 'a'.repeat(60_000)],
    [`${'a?'.repeat(60)}${'a'.repeat(60)}b`, 'a'.repeat(1000)],
    ['((a?b?){3}x?){4}((a?b?){3}x?){4}y', 'ab'.repeat(30_000)],
  ])('answers for %s, where a backtracking engine would not end', (source, text) => {
    expect(compilePattern(source).test(text)).toBe(false);
    expect(compilePattern(source).exec(text)).toBeUndefined();
  });

  it.each([
    ['^\\d{4}-\\d{2}-\\d{2}', '2026-11-20 message', ' at line'],
    ['^\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?', '2026-11-20 08:00:00.123 x', 'x'],
    ['^\\s', '\tat main', 'main'],
    ['^[(?=]', '(x', 'x'],
    ['^\\(\\?=', '(?=', '?'],
    ['^\\w{1,40}:', 'key: value', ': value'],
    ['^\\[\\d{1,3}(\\.\\d{1,3}){3}\\]', '[10.0.0.1] x', '[10.0.0] x'],
    ['(?i)error', 'An ERROR', 'an eror'],
    ['a(?i:b)c', 'aBc', 'ABc'],
    ['[[:digit:]]+ms', '12ms', 'ms'],
    ['^\\Qa.b\\E$', 'a.b', 'aXb'],
    ['x{2,}', 'axxb', 'axb'],
    ['^.😀$', 'a😀', 'a😁'],
    ['^.$', '😀', '😀😀'],
  ])('matches as expected: %s', (source, matching, other) => {
    const pattern = compilePattern(source);
    expect([pattern.test(matching), pattern.test(other)]).toEqual([true, false]);
  });

  it.each([
    ['^(?!\\s)', /^look-around .*\^\\S instead/],
    ['(?<=a)b', /^look-around/],
    ['(a)\\1', /^back-references/],
    ['(?<x>a)\\k<x>', /^back-references/],
    ['(?>a+)b', /^atomic groups .*write \(\?:\.\.\.\)/],
    ['a++b', /^possessive/],
    ['(', /Unterminated group/],
    ['a)', /Unmatched \)/],
    ['a**', /Nothing to repeat/],
    ['[b-a]', /out of order/],
    ['\\p{L}', /Unicode/],
    ['((a{1000}){1000}){1000}', /counted repetitions are too large/],
    ['(?m)^a', /\(\?m\) is not supported/],
  ])('rejects %s with an alternative', (source, reason) => {
    expect(() => compilePattern(source)).toThrow(PatternError);
    expect(() => compilePattern(source)).toThrow(reason);
  });

  it('reports the place of the mistake', () => {
    const failed = () => compilePattern('abc(?=d)');
    expect(failed).toThrow(expect.objectContaining({ offset: 3 }));
  });

  it.each([
    ['x(?:a{99}){99}', 9801, 10],
    ['(?:a{1000}){2}', 2000, 11],
    ['(?:b|(?<x>a{20})c*){51,}d', 1020, 19],
  ])(
    'rejects the nested counts of %s with the number of repetitions and the place',
    (source, times, offset) => {
      const message = expect.stringMatching(
        `counted repetitions are too large: a part is repeated ${times} times, .*; write \\+ or \\* instead`,
      );
      expect(() => compilePattern(source)).toThrow(
        expect.objectContaining({ name: 'PatternError', message, offset }),
      );
    },
  );

  it.each(['(?:a{10}){100}', '(?:a{1000})+', '(?:a{600}){1}(?:a{2}){500}', '(?:a{900}){0}'])(
    'accepts the nested counts of %s for every text',
    (source) => {
      const pattern = compilePattern(source);
      for (const text of ['a', '😀', 'b'.repeat(5000)]) expect(typeof pattern.test(text)).toBe('boolean');
    },
  );

  it.each([
    ['\\w{1,40}:', 'linear'],
    ['(a+){1,200}b{1,900}', 'linear-slow'],
    ['[a-z]+@[a-z]+\\.(?:com|org)', 'linear'],
  ])('has a verdict: %s is %s', (source, verdict) => {
    expect(compilePattern(source).verdict).toBe(verdict);
  });

  it('returns the named groups with their places, also for long texts', () => {
    const pattern = compilePattern('(?<key>\\w+)=(?<value>\\d+)|(?<key>\\w+)!');
    expect(pattern.fields.map(({ name }) => name)).toEqual(['key', 'value']);
    expect(pattern.exec('a b=12')).toEqual({ start: 2, end: 6, values: ['b', '12'] });
    expect(pattern.exec('a b!')).toEqual({ start: 2, end: 4, values: ['b', undefined] });
    const long = `${' '.repeat(5000)}b=12`;
    expect(pattern.exec(long)?.values).toEqual(['b', '12']);
    expect(pattern.exec('😀b=12')?.values).toEqual(['b', '12']);
  });

  it('sees the first 65,536 characters', () => {
    const pattern = compilePattern('b');
    expect(pattern.test(`${'a'.repeat(65_535)}b`)).toBe(true);
    expect(pattern.test(`${'a'.repeat(65_536)}b`)).toBe(false);
    expect(pattern.test(`${'😀'.repeat(65_535)}b`)).toBe(true);
    expect(pattern.test(`${'😀'.repeat(65_536)}b`)).toBe(false);
  });
});

const letters = fc.constantFrom('a', 'b', 'A', ' ', '1', '.', '-', '_', 'é', '\n');
const atoms = fc.oneof(
  letters.map((each) => (each === '.' ? '\\.' : each)),
  fc.constantFrom('.', '\\w', '\\d', '\\S', '\\s', '[ab]', '[^a1]', '[a-c_]', '^', '$', '\\b', '\\B'),
);
const sources = fc.letrec<{ source: string }>((tie) => ({
  source: fc.oneof(
    { maxDepth: 3 },
    atoms,
    fc.tuple(tie('source'), tie('source')).map(([a, b]) => a + b),
    fc.tuple(tie('source'), tie('source')).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie('source'), fc.constantFrom('*', '+', '?', '*?', '{2}', '{1,3}', '{0,2}', '{2,}'))
      .map(([a, count]) => `(?:${a})${count}`),
    tie('source').map((a) => `(?<x>${a})`),
  ),
})).source;
const texts = fc.oneof(
  fc.array(letters, { maxLength: 12 }).map((each) => each.join('')),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

function tried(source: string): CompiledPattern | undefined {
  try {
    return compilePattern(source);
  } catch (error) {
    if (error instanceof PatternError) return undefined;
    throw error;
  }
}

describe('any pattern', () => {
  it('matches as an ordinary regular expression does', () => {
    fc.assert(
      fc.property(sources, fc.array(letters, { maxLength: 12 }), (source, characters) => {
        const text = characters.join('');
        const pattern = tried(source);
        if (pattern === undefined) return;
        expect(pattern.test(text)).toBe(new RegExp(source.replaceAll('(?<x>', '(?:')).test(text));
      }),
      { numRuns: RUNS },
    );
  });

  it('matches the same texts when it is written for RE2', () => {
    fc.assert(
      fc.property(sources, texts, (source, text) => {
        const pattern = tried(source);
        if (pattern === undefined) return;
        expect(RE2JS.compile(re2Pattern(pattern.tree)).test(text.toWellFormed())).toBe(pattern.test(text));
      }),
      { numRuns: RUNS },
    );
  });

  it('is read or rejected, whatever its text is', () => {
    const characters = fc.constantFrom(...Array.from('ab()[]{}|?*+^$.\\-:<>=!%1,dwsbBkQE#'));
    fc.assert(
      fc.property(fc.array(characters, { maxLength: 20 }), texts, (source, text) => {
        const pattern = tried(source.join(''));
        expect(typeof pattern?.test(text)).toBe(pattern === undefined ? 'undefined' : 'boolean');
      }),
      { numRuns: RUNS },
    );
  });
});
