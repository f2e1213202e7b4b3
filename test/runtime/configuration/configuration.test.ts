import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  InvalidValue,
  parseVariables,
  throwProblems,
  type VariableTable,
  variableNames,
} from '../../../src/runtime/configuration/configuration.ts';
import { ConfigurationError } from '../../../src/runtime/configuration/configuration-error.ts';
import { booleanValue, integerBetween, jsonValue } from '../../../src/runtime/configuration/value-parsers.ts';

const DOCUMENTED = { description: 'For tests.', format: 'text', example: 'x' };

const TABLE = {
  size: {
    name: 'AGGREGATOR_SIZE',
    flag: '--size',
    default: '10',
    parse: integerBetween(1, 100),
    ...DOCUMENTED,
  },
  token: {
    name: 'AGGREGATOR_TOKEN',
    flag: '--token',
    secret: true,
    parse: (text: string) => {
      if (text.length < 4) throw new InvalidValue('at least 4 characters');
      return text;
    },
    ...DOCUMENTED,
  },
  shape: {
    name: 'AGGREGATOR_SHAPE',
    flag: '--shape',
    parse: jsonValue(z.object({ sides: z.array(z.number()) }), {
      expected: 'an object with sides',
      example: '{"sides": [3]}',
    }),
    ...DOCUMENTED,
  },
} as const satisfies VariableTable;

describe('parseVariables', () => {
  test('uses the default of an unset variable', () => {
    const { values, problems } = parseVariables(TABLE, {});
    expect(values).toEqual({ size: 10, token: undefined, shape: undefined });
    expect(problems).toEqual([]);
  });

  test('reads set variables', () => {
    const { values } = parseVariables(TABLE, {
      AGGREGATOR_SIZE: '7',
      AGGREGATOR_TOKEN: 'abcd',
      AGGREGATOR_SHAPE: '{"sides": [1, 2]}',
    });
    expect(values).toEqual({ size: 7, token: 'abcd', shape: { sides: [1, 2] } });
  });

  test('collects all problems with the expected and the found value', () => {
    const { problems } = parseVariables(TABLE, {
      AGGREGATOR_SIZE: '0x10',
      AGGREGATOR_TOKEN: 'abc',
      AGGREGATOR_SHAPE: '{"sides": [1, "two"]}',
    });
    expect(problems).toEqual([
      { variable: 'AGGREGATOR_SIZE', message: 'expected a whole number from 1 to 100, found "0x10"' },
      {
        variable: 'AGGREGATOR_TOKEN',
        message: 'expected at least 4 characters, found something else (not shown, 3 characters)',
      },
      { variable: 'AGGREGATOR_SHAPE.sides[1]', message: expect.stringContaining('expected a number') },
    ]);
  });

  test('names an empty value as such', () => {
    const { problems } = parseVariables(TABLE, { AGGREGATOR_SIZE: '' });
    expect(problems[0]?.message).toBe('expected a whole number from 1 to 100, found an empty value');
  });

  test('cuts a long value in the message', () => {
    const { problems } = parseVariables(TABLE, { AGGREGATOR_SIZE: 'x'.repeat(10_000) });
    expect(problems[0]?.message.length).toBeLessThan(200);
  });

  test('reports all problems of a parser', () => {
    const problem = { variable: 'AGGREGATOR_SIZE.a', message: 'expected more' };
    const parse = () => throwProblems([problem]);
    const { problems } = parseVariables(
      { size: { ...TABLE.size, default: undefined as never, parse } },
      {
        AGGREGATOR_SIZE: 'x',
      },
    );
    expect(problems).toEqual([problem]);
  });

  test('rethrows an internal error', () => {
    const parse = () => {
      throw new TypeError('a bug');
    };
    expect(() => parseVariables({ token: { ...TABLE.token, parse } }, { AGGREGATOR_TOKEN: 'x' })).toThrow(
      TypeError,
    );
  });
});

test('throwProblems throws all of them at once, or nothing', () => {
  throwProblems([]);
  const problems = [
    { variable: 'A', message: 'expected a' },
    { variable: 'B', message: 'expected b' },
  ];
  expect(() => throwProblems(problems)).toThrow(new ConfigurationError(problems));
  expect(() => throwProblems(problems)).toThrow('A: expected a\nB: expected b');
});

test('secret and PEM variables have a _FILE form', () => {
  expect(variableNames(TABLE)).toEqual([
    'AGGREGATOR_SIZE',
    'AGGREGATOR_TOKEN',
    'AGGREGATOR_TOKEN_FILE',
    'AGGREGATOR_SHAPE',
  ]);
});

describe('values', () => {
  test.each(['1', 'true', 'TRUE', 'Yes', 'on'])('%j is true', (text) => {
    expect(booleanValue(text)).toBe(true);
  });

  test.each(['0', 'false', 'False', 'no', 'OFF', ''])('%j is false', (text) => {
    expect(booleanValue(text)).toBe(false);
  });

  test.each(['2', ' 1', 'y', 'enabled', 'truee'])('%j is neither', (text) => {
    expect(() => booleanValue(text)).toThrow(InvalidValue);
  });

  test.each(['1', '100'])('%j is a whole number', (text) => {
    expect(integerBetween(1, 100)(text)).toBe(Number(text));
  });

  test.each(['0', '101', '-1', '+1', '1.0', '1e1', '0x1', ' 1', '1 ', '01', '', '1_0', '١'])(
    '%j is no whole number from 1 to 100',
    (text) => {
      expect(() => integerBetween(1, 100)(text)).toThrow(InvalidValue);
    },
  );

  test('invalid JSON does not appear in the message', () => {
    const parse = jsonValue(z.object({}), { expected: 'an object', example: '{}' });
    expect(() => parse('{"password": "hunter2"')).toThrow(/^expected an object$/);
  });
});
