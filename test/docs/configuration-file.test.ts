import { expect, test } from 'vitest';
import { aggregatorVariables } from '../../src/aggregator/config.ts';
import { collectorVariables } from '../../src/collector/config.ts';
import { variableNames } from '../../src/runtime/configuration/configuration.ts';
import { parseConfigurationFile } from '../../src/runtime/configuration/configuration-file.ts';
import { markdownBlocks } from '../support/markdown-blocks.ts';

test('the configuration file of the page has only variables that exist, and values that are accepted', () => {
  const blocks = markdownBlocks('docs/operations.md').filter(({ language }) => language === 'yaml');
  expect(blocks).toHaveLength(1);
  const table = { ...aggregatorVariables(), ...renamed(collectorVariables()) };
  const { values, problems } = parseConfigurationFile(blocks[0]?.text ?? '', table);
  expect(problems).toEqual([]);
  const names = new Set(variableNames(table));
  for (const [name, { text }] of values) {
    expect(names).toContain(name);
    const variable = Object.values(table).find((each) => each.name === name);
    expect(() => variable?.parse(text)).not.toThrow();
  }
});

/** The keys of both tables may be equal. */
function renamed<Value>(table: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(table).map(([key, value]) => [`collector ${key}`, value]));
}
