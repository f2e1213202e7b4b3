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
      format: 'plain',
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
