import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { VariableTable } from '../../../src/runtime/configuration/configuration.ts';
import { parseConfigurationFile } from '../../../src/runtime/configuration/configuration-file.ts';

const variable = (name: string, more: object = {}) => ({
  ...{ name, flag: `--${name.toLowerCase()}`, description: '', format: 'text', example: '' },
  parse: (text: string) => text,
  ...more,
});

const TABLE: VariableTable = {
  delay: variable('AGGREGATOR_RETRY_DELAY'),
  listen: variable('AGGREGATOR_LISTEN_ADDRESS'),
  file: variable('AGGREGATOR_FILE_CONFIGURATION', { keys: [] }),
  tail: variable('COLLECTOR_TAIL'),
  resource: variable('COLLECTOR_RESOURCE_ATTRIBUTES'),
};

const textsOf = (yaml: string) => {
  const { values, problems } = parseConfigurationFile(yaml, TABLE);
  expect(problems).toEqual([]);
  return Object.fromEntries([...values].map(([name, { text }]) => [name, text]));
};

describe('a configuration file', () => {
  test('sets variables by their names', () => {
    const { values } = parseConfigurationFile(
      '# ours\nAGGREGATOR_RETRY_DELAY: 10s\n\nCOLLECTOR_ONCE: true\n',
      TABLE,
    );
    expect(Object.fromEntries(values)).toEqual({
      AGGREGATOR_RETRY_DELAY: { text: '10s', line: 2 },
      COLLECTOR_ONCE: { text: 'true', line: 4 },
    });
  });

  test('has JSON values as YAML', () => {
    const yaml = 'AGGREGATOR_FILE_CONFIGURATION:\n  path: /a\n  fsync: false\n  limits: [1, 2.5]\n';
    const text = textsOf(yaml).AGGREGATOR_FILE_CONFIGURATION ?? '';
    expect(JSON.parse(text)).toEqual({ path: '/a', fsync: false, limits: [1, 2.5] });
  });

  test('has lists and assignments for variables with commas', () => {
    const yaml =
      'COLLECTOR_TAIL:\n - /a/*.log\n - /b\nCOLLECTOR_RESOURCE_ATTRIBUTES:\n  service.name: a,b\n  n: 1\n';
    expect(textsOf(yaml)).toEqual({
      COLLECTOR_TAIL: '/a/*.log,/b',
      COLLECTOR_RESOURCE_ATTRIBUTES: 'service.name=a%2Cb,n=1',
    });
  });

  test('may be empty, or have comments only', () => {
    expect([textsOf(''), textsOf('# nothing\n')]).toEqual([{}, {}]);
  });

  test.each([
    ['AGGREGATOR_RETRY_DELAY: [', 'line 1', /is not valid YAML at column/],
    ['AGGREGATOR_RETRY_DELAY: 1s\nAGGREGATOR_RETRY_DELAY: 2s\n', 'line 2', /unique/],
    ['listen_address: 0.0.0.0:8000', 'line 1', /did you mean AGGREGATOR_LISTEN_ADDRESS\?/],
    ['AGGREGATOR_RETRY_DELAY:\n', 'AGGREGATOR_RETRY_DELAY', /has no value/],
    ['- AGGREGATOR_RETRY_DELAY', 'line 1', /expected lines such as/],
    ['AGGREGATOR_RETRY_DELAY: *missing', 'line 1', /alias/i],
  ])('%j has a problem with its line', (yaml, place, message) => {
    const { problems } = parseConfigurationFile(yaml, TABLE);
    expect(problems).toEqual([{ variable: place, message: expect.stringMatching(message) }]);
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        parseConfigurationFile(text, TABLE);
        parseConfigurationFile(`AGGREGATOR_FILE_CONFIGURATION: ${text}`, TABLE);
      }),
    );
  });

  test('that expands its aliases to very much is a problem', () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) => `  l${at + 1}: &l${at + 1} [${`*l${at},`.repeat(9)}]`,
    );
    const yaml = `AGGREGATOR_FILE_CONFIGURATION:\n  l0: &l0 [x]\n${levels.join('\n')}\n`;
    const { problems } = parseConfigurationFile(yaml, TABLE);
    expect(problems).toHaveLength(1);
  });
});
