import { describe, expect, test } from 'vitest';
import { collectorVariables } from '../../src/collector/config.ts';
import { sourceTypes } from '../../src/collector/sources/registry.ts';
import { COLLECTOR_VARIABLES } from '../../src/collector/variables.ts';
import { sourceContract } from './source-contract.ts';
import { sourceFixtures } from './source-fixtures.ts';

test('every source has a fixture', () => {
  expect(sourceFixtures.map(({ name }) => name)).toEqual(sourceTypes.map(({ name }) => name));
});

test('no variable of a source replaces another variable of the collector', () => {
  const tables = [...sourceTypes.map(({ variables }) => variables), COLLECTOR_VARIABLES];
  const count = tables.reduce((sum, table) => sum + Object.keys(table).length, 0);
  expect(Object.keys(collectorVariables())).toHaveLength(count);
});

for (const fixture of sourceFixtures) {
  const type = sourceTypes.find(({ name }) => name === fixture.name);
  if (type === undefined) continue;
  const { missing } = fixture;
  const why = missing === undefined ? '' : ` (skipped: ${missing})`;
  describe.skipIf(missing !== undefined)(`source ${type.name}${why}`, () => {
    fixture.prepare?.();
    sourceContract(type, fixture);
  });
}
