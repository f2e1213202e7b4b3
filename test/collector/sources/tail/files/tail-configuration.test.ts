import { describe, expect, it } from 'vitest';
import {
  parseTailConfiguration,
  tailEntriesFromGlobs,
} from '../../../../../src/collector/sources/tail/files/tail-configuration.ts';
import { ConfigurationError } from '../../../../../src/runtime/configuration/configuration-error.ts';

const parse = (value: unknown) =>
  parseTailConfiguration(typeof value === 'string' ? value : JSON.stringify(value), 'TAIL');

function problemsOf(value: unknown): string[] {
  try {
    parse(value);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as ConfigurationError).problems.map(({ variable, message }) => `${variable}: ${message}`);
  }
}

describe('parseTailConfiguration', () => {
  it('reads an entry with all keys', () => {
    const [entry] = parse([
      {
        paths: ['/var/log/*.log'],
        exclude: ['*.tmp'],
        format: 'combined',
        resource: { 'service.name': 'shop', __proto__: 'x' },
        start_at: 'end',
        ignore_older: '24h',
        multiline: { start: '^\\d{4}-' },
      },
    ]);
    expect(entry).toEqual({
      paths: ['/var/log/*.log'],
      exclude: ['*.tmp'],
      format: 'combined',
      resource: new Map([['service.name', 'shop']]),
      startAt: 'end',
      ignoreOlderMs: 86_400_000,
      multiline: { start: expect.objectContaining({ source: '^\\d{4}-' }) },
    });
  });

  it('has defaults for all keys except the paths', () => {
    const expected = {
      paths: ['a'],
      exclude: [],
      format: 'auto',
      resource: new Map(),
      startAt: 'beginning',
    };
    expect(parse([{ paths: ['a'] }])).toEqual([expected]);
    expect(tailEntriesFromGlobs(['a'])).toEqual([expected]);
    expect(tailEntriesFromGlobs([])).toEqual([]);
  });

  it('reports all problems at once, with their places', () => {
    const problems = problemsOf([
      { paths: [], ignore_older: '3 days', start_at: 'middle' },
      { paths: ['a', ''], multiline: { start: '(', continue: 'x' }, colour: 'red' },
    ]);
    for (const where of [
      'TAIL[0].paths',
      'TAIL[0].ignore_older',
      'TAIL[0].start_at',
      'TAIL[1].paths[1]',
      'TAIL[1].multiline.start',
      'colour',
    ]) {
      expect(problems.join('\n')).toContain(where);
    }
  });

  it.each([
    ['not json', 'found a syntax error at line 1, column 1'],
    ['{}', 'a list'],
    ['[]', 'at least one'],
    [[{ paths: ['a'], multiline: {} }], '{"start": expression}'],
    [[{ paths: ['a'], multiline: { start: 'a', continue: 'b' } }], '{"start": expression}'],
    [[{ paths: ['a'], ignore_older: '0s' }], 'above zero'],
    [[{ paths: ['a'], ignore_older: '-1h' }], 'above zero'],
    [[{ paths: 'a' }], 'a list'],
  ])('rejects %j', (value, message) => {
    expect(problemsOf(value).join()).toContain(message);
  });
});

describe('a described format', () => {
  const resourceOf = (entry: object) => parse([{ paths: ['a'], ...entry }])[0];

  it('travels as a name and an attribute', () => {
    const access = resourceOf({ format: 'access:$remote_addr [$time_local] $status', resource: { a: 'b' } });
    expect(access?.format).toBe('access');
    expect(Object.fromEntries(access?.resource ?? [])).toEqual({
      a: 'b',
      'megacollector.format_options': '$remote_addr [$time_local] $status',
    });
    expect(resourceOf({ format: 'json?time=ts', timezone: 'Europe/Paris' })?.resource).toEqual(
      new Map([
        ['megacollector.format_options', 'time=ts'],
        ['megacollector.timezone', 'Europe/Paris'],
      ]),
    );
  });

  it.each([
    [{ format: 'access:no fields' }, 'expected at least one field'],
    [{ format: 'json?tiem=ts' }, 'expected the options time, level, message, levels, found "tiem"'],
    [{ timezone: 'Not/AZone' }, 'expected a zone such as "Europe/Paris" or "+02:00"'],
  ])('is rejected with the reason: %j', (entry, reason) => {
    expect(() => resourceOf(entry)).toThrow(reason);
  });
});
