import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { aggregatorVariables } from '../../src/aggregator/config.ts';
import { configurationPage } from '../../src/cli/configuration-page.ts';
import { collectorVariables } from '../../src/collector/config.ts';
import { emitterTypes } from '../../src/emitters/registry.ts';

test('docs/configuration.md is up to date (if not: npm run docs)', async () => {
  expect(await readFile('docs/configuration.md', 'utf8')).toBe(configurationPage());
});

test('the page contains every variable and every emitter', () => {
  const page = configurationPage();
  const variables = Object.values({ ...aggregatorVariables(), ...collectorVariables() });
  for (const { name, flag } of variables) {
    expect(page).toContain(`\`${name}\``);
    expect(page).toContain(`\`${flag}\``);
  }
  for (const { type } of emitterTypes) expect(page).toContain(`### ${type}\n`);
});

test('every variable can be parsed from its own default and example', () => {
  const pem = /_TLS_(?:CERTIFICATE|KEY|CA_CERTIFICATE)$/;
  for (const table of [aggregatorVariables(), collectorVariables()]) {
    for (const { name, default: standard, example, parse } of Object.values(table)) {
      if (pem.test(name)) continue;
      if (standard !== undefined) parse(standard);
      parse(example);
    }
  }
});

test('no two variables of a table share a name or a flag', () => {
  for (const table of [aggregatorVariables(), collectorVariables()]) {
    const variables = Object.values(table);
    expect(new Set(variables.map(({ name }) => name)).size).toBe(variables.length);
    expect(new Set(variables.map(({ flag }) => flag)).size).toBe(variables.length);
  }
});
