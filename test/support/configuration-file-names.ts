import { expect } from 'vitest';
import { aggregatorVariables } from '../../src/aggregator/config.ts';
import { collectorVariables } from '../../src/collector/config.ts';
import { variableNames } from '../../src/runtime/configuration/configuration.ts';
import { parseConfigurationFile } from '../../src/runtime/configuration/configuration-file.ts';

/** The variables that a configuration file sets. Fails if it is invalid or has a name that there is not. */
export function configurationFileNames(text: string): readonly string[] {
  const tables = [aggregatorVariables(), collectorVariables()];
  const parsed = tables.map((table) => parseConfigurationFile(text, table));
  expect(parsed.flatMap(({ problems }) => problems)).toEqual([]);
  const known = new Set(tables.flatMap(variableNames));
  const names = [...new Set(parsed.flatMap(({ values }) => [...values.keys()]))];
  expect(names.filter((name) => !known.has(name))).toEqual([]);
  return names;
}
