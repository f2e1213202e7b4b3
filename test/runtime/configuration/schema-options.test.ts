import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { aggregatorVariables } from '../../../src/aggregator/config.ts';
import { collectorVariables } from '../../../src/collector/config.ts';
import { parseTailConfiguration } from '../../../src/collector/sources/tail/files/tail-configuration.ts';
import { sharedShape } from '../../../src/emitters/configuration.ts';
import { emitterTypes } from '../../../src/emitters/registry.ts';
import { schemaOptions } from '../../../src/runtime/configuration/schema-options.ts';

const toNumber = z.string().transform(Number);

describe('the options of a schema', () => {
  test('have the default as it is written in JSON, before it is parsed', () => {
    const options = schemaOptions({
      timeout: toNumber.prefault('10').meta({ format: 'duration', description: 'd' }),
      port: z.int().default(1).meta({ format: 'number', description: 'd' }),
      size: z.int().optional().meta({ format: 'number', default: '1420', description: 'd' }),
      host: z.string().optional().meta({ format: 'name', description: 'd' }),
    });
    expect(options.map(({ default: standard }) => standard)).toEqual(['"10"', '1', '1420', undefined]);
  });

  test('are required without a default', () => {
    const options = schemaOptions({ a: toNumber, b: toNumber.optional(), c: toNumber.prefault('1') });
    expect(options.map(({ isRequired }) => isRequired)).toEqual([true, false, false]);
  });

  test('list the values of an enum and of a boolean', () => {
    const options = schemaOptions({
      a: z.enum(['x', 'y', 'z']).default('x'),
      b: z.enum(['x']).optional(),
      c: z.boolean(),
    });
    expect(options.map(({ format }) => format)).toEqual([
      '`"x"`, `"y"` or `"z"`',
      '`"x"`',
      '`true` or `false`',
    ]);
  });
});

describe('every key has a format and a description', () => {
  const shapes = [...emitterTypes, { type: 'every emitter', shape: sharedShape('x') }];
  test.each(shapes)('of $type', ({ shape }) => {
    for (const option of schemaOptions(shape)) {
      expect(option.format, option.key).not.toBe('');
      expect(option.description, option.key).toMatch(/^(?:[A-Z0-9`"]).*\.$/);
    }
  });

  const variables = Object.values({ ...aggregatorVariables(), ...collectorVariables() });
  test.each(variables.filter(({ keys }) => keys !== undefined))('of $name', ({ keys = [] }) => {
    for (const { key, format, description } of keys) {
      expect(format, key).not.toBe('');
      expect(description, key).toMatch(/\.$/);
    }
  });
});

test('each key of COLLECTOR_TAIL_CONFIGURATION that is documented exists, and is required as documented', () => {
  const keys = collectorVariables()['tailConfiguration']?.keys ?? [];
  expect(keys).not.toEqual([]);
  for (const { key } of keys) expect(problemsOfTail({ [key]: null })).not.toContain('not a known key');
  for (const { key, isRequired } of keys) expect(problemsOfTail({}).includes(`.${key}`)).toBe(isRequired);
});

function problemsOfTail(entry: object): string {
  try {
    parseTailConfiguration(JSON.stringify([entry]), 'TAIL');
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}
