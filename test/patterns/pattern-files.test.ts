import { describe, expect, it } from 'vitest';
import { loadPatternFiles } from '../../src/patterns/pattern-files.ts';
import { PATTERN_LIBRARY } from '../../src/patterns/pattern-library.ts';
import { PatternSet } from '../../src/patterns/pattern-set.ts';

const TEXT = String.raw`# Logstash's style
BASE10NUM (?<![0-9.+-])(?>[+-]?(?:(?:[0-9]+(?:\.[0-9]+)?)|(?:\.[0-9]+)))
QUOTED (?>"(?>\\.|[^\\"]+)+"|"")
LATENCY took %{NUMBER:latency:float} ms
FROM %{IP:[source][address]}

BROKEN %{NO_SUCH}
TYPO %{NUMBR}
LOOP a%{LOOP}
(nothing)
LATENCY took %{NUMBER:duration:float} ms`;

describe('pattern files', () => {
  const loaded = loadPatternFiles([{ path: 'a.patterns', text: TEXT }]);

  it('report a verdict for each line', () => {
    expect(
      loaded.lines.map(({ line, name, verdict, isReplaced }) => [line, name, verdict, isReplaced]),
    ).toEqual([
      [2, 'BASE10NUM', 'refused', true],
      [3, 'QUOTED', 'linear', undefined],
      [4, 'LATENCY', 'overridden', undefined],
      [5, 'FROM', 'linear', undefined],
      [7, 'BROKEN', 'refused', false],
      [8, 'TYPO', 'refused', false],
      [9, 'LOOP', 'refused', false],
      [10, '', 'refused', undefined],
      [11, 'LATENCY', 'linear', undefined],
    ]);
  });

  it('name the reason and the nearest name', () => {
    const reason = (name: string) => loaded.lines.find((each) => each.name === name)?.reason;
    expect(reason('BASE10NUM')).toMatch(/^look-around/);
    expect(reason('TYPO')).toBe('the pattern NUMBR is not known; did you mean NUMBER?');
    expect(reason('LOOP')).toMatch(/refers to itself/);
  });

  it('use the library for a definition that is refused, and name nested fields with dots', () => {
    const latency = loaded.set.compile('%{LATENCY}');
    expect(latency.fields).toEqual([{ name: 'duration', type: 'float' }]);
    expect(latency.exec('it took 1.5 ms')?.values).toEqual(['1.5']);
    expect(loaded.set.compile('%{FROM}').fields).toEqual([{ name: 'source.address', type: 'text' }]);
  });

  it('cannot grow without limit by references', () => {
    const doubled = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`P${at}`, at === 0 ? 'ab' : `%{P${at - 1}}%{P${at - 1}}`]),
    );
    expect(() => new PatternSet([PATTERN_LIBRARY, doubled]).compileNamed('P39')).toThrow(/too large/);
  });
});
