import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseBlackholeConfiguration } from '../../src/emitters/blackhole/configuration.ts';
import { duplicateNames, parseConfigurations, switchOf } from '../../src/emitters/configuration.ts';
import { parseFileConfiguration } from '../../src/emitters/file/configuration.ts';
import { emitterTypes } from '../../src/emitters/registry.ts';
import { parseTextConfiguration } from '../../src/emitters/text/configuration.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../src/runtime/configuration/configuration-error.ts';

const shape = {
  url: z.string().min(1, 'expected a URL'),
  token: z.string().optional(),
  nested: z.strictObject({ depth: z.int() }).optional(),
};
const parse = (value: string) =>
  parseConfigurations({
    variable: 'AGGREGATOR_X_CONFIGURATION',
    type: 'x',
    example: '{"url": "a"}',
    value,
    shape,
  });

function problemsOf(parsing: () => unknown): readonly ConfigurationProblem[] {
  try {
    parsing();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  throw new Error('There was no problem.');
}

describe('the variable of an emitter', () => {
  test('configures one emitter', () => {
    expect(parse('{"url":"a"}')).toEqual([{ name: 'x', start: 'oldest', configuration: { url: 'a' } }]);
  });

  test('configures several emitters', () => {
    expect(parse('[{"url":"a"},{"url":"b","name":"second.One_1","start":"now"}]')).toEqual([
      { name: 'x', start: 'oldest', configuration: { url: 'a' } },
      { name: 'second.One_1', start: 'now', configuration: { url: 'b' } },
    ]);
  });

  test('reports all problems at once, with their paths', () => {
    const value = '[{"urll":"a"},{"url":7,"name":"-x","start":"later","nested":{"depth":1,"dept":2}}]';
    const problems = problemsOf(() => parse(value));
    expect(Object.fromEntries(problems.map(({ variable, message }) => [variable, message]))).toEqual({
      'AGGREGATOR_X_CONFIGURATION[0].url': expect.stringContaining('expected a text'),
      'AGGREGATOR_X_CONFIGURATION[0].urll': 'is not a known key; did you mean "url"?',
      'AGGREGATOR_X_CONFIGURATION[1].url': expect.stringContaining('expected a text'),
      'AGGREGATOR_X_CONFIGURATION[1].name': expect.stringContaining('1 to 63 letters'),
      'AGGREGATOR_X_CONFIGURATION[1].start': expect.stringContaining('oldest'),
      'AGGREGATOR_X_CONFIGURATION[1].nested.dept': 'is not a known key',
    });
  });

  test.each(['', 'x', '{', '[', '[]', 'null', '7', '"text"', '[[]]', '[null]'])('rejects "%s"', (value) => {
    expect(problemsOf(() => parse(value)).length).toBeGreaterThan(0);
  });

  test.each(['a', 'A.b_c-1', 'x'.repeat(63)])('accepts the emitter name %s', (name) => {
    expect(parse(JSON.stringify({ url: 'a', name }))[0]?.name).toBe(name);
  });

  test.each(['', '.a', '-a', 'a b', 'a/b', 'x'.repeat(64), '\u00e9'])(
    'may not name the emitter "%s"',
    (name) => {
      expect(problemsOf(() => parse(JSON.stringify({ url: 'a', name }))).length).toBe(1);
    },
  );

  test('rejects a duplicate name', () => {
    expect(problemsOf(() => parse('[{"url":"a"},{"url":"b"}]'))).toEqual([
      { variable: 'AGGREGATOR_X_CONFIGURATION', message: expect.stringContaining('"x"') },
    ]);
    expect(
      duplicateNames([
        { variable: 'A', name: 'n' },
        { variable: 'B', name: 'n' },
      ]),
    ).toHaveLength(1);
  });

  test.each([
    '{"url":"x","token":{"a":"hunter2"}}',
    '{"token":"hunter2"',
    '{"url":["hunter2"]}',
    '{"start":"hunter2"}',
  ])('is not shown when it is wrong: %s', (value) => {
    expect(JSON.stringify(problemsOf(() => parse(value)))).not.toContain('hunter2');
  });
});

describe('a variable that can be a switch', () => {
  test.each(['', ' ', '0', 'false', 'False', 'no', 'off'])('"%s" is off', (value) => {
    expect(switchOf(value)).toBe('off');
    expect(parseTextConfiguration(value)).toEqual([]);
    expect(parseBlackholeConfiguration(value)).toEqual([]);
  });

  test.each(['1', 'true', 'yes', 'anything at all', '"quoted"'])('"%s" is on', (value) => {
    expect(parseTextConfiguration(value)).toEqual([
      { name: 'text', start: 'oldest', configuration: { format: 'body' } },
    ]);
    expect(parseBlackholeConfiguration(value)).toHaveLength(1);
  });

  test('"json" selects the JSON format of text, as does an object', () => {
    expect(parseTextConfiguration('json')[0]?.configuration).toEqual({ format: 'json' });
    expect(parseTextConfiguration('{"format":"json","name":"out"}')).toEqual([
      { name: 'out', start: 'oldest', configuration: { format: 'json' } },
    ]);
    expect(problemsOf(() => parseTextConfiguration('{"format":"xml"}'))).toHaveLength(1);
  });
});

describe('the file emitter', () => {
  test('has defaults', () => {
    expect(parseFileConfiguration('{"path":"/var/log/x"}')[0]?.configuration).toEqual({
      path: '/var/log/x',
      fsync: true,
      format: 'body',
      mode: 0o640,
      max_open_files: 64,
    });
  });

  test('reads sizes with units, permissions in octal, and paths from the working directory', () => {
    const [configured] = parseFileConfiguration('{"path":"a/../b","rotate_bytes":"1MiB","mode":"0600"}');
    expect(configured?.configuration).toMatchObject({
      path: `${process.cwd()}/b`,
      rotate_bytes: 1_048_576,
      mode: 0o600,
    });
  });

  test.each([
    '{}',
    '{"path":""}',
    '{"path":"/a/"}',
    '{"path":"/a\\u0000b"}',
    '{"path":"/a/{host"}',
    '{"path":"/a/{}"}',
    '{"path":"/a/{host name}"}',
    `{"path":"/${'x'.repeat(201)}"}`,
    '{"path":"/a","rotate_bytes":0}',
    '{"path":"/a","rotate_bytes":"much"}',
    '{"path":"/a","rotate_bytes":1.5}',
    '{"path":"/a","mode":"999"}',
    '{"path":"/a","mode":416}',
    '{"path":"/a","fsync":"yes"}',
    '{"path":"/a","max_open_files":0}',
  ])('refuses %s', (value) => {
    expect(problemsOf(() => parseFileConfiguration(value)).length).toBe(1);
  });

  test('rejects a duplicate path', () => {
    const value = '[{"path":"/a/b"},{"path":"/a/c/../b","name":"two"}]';
    expect(problemsOf(() => parseFileConfiguration(value))).toEqual([
      { variable: 'AGGREGATOR_FILE_CONFIGURATION[1].path', message: 'another emitter writes to this path' },
    ]);
  });
});

describe('the example that is shown with a syntax error', () => {
  const withJson = emitterTypes.filter(({ type }) => type !== 'text');

  test.each(withJson)('is accepted by the $type emitter', (type) => {
    let message = '';
    try {
      type.parse('{');
    } catch (error) {
      message = (error as Error).message;
    }
    const example = /For example: (.*)$/m.exec(message)?.[1];
    expect(message).toContain('line 1, column 2');
    expect(type.parse(example ?? 'no example')).toHaveLength(1);
  });
});
