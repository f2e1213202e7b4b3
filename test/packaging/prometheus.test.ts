import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { servedMetrics } from '../support/served-metrics.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const FILE = 'packaging/prometheus/alerts.yaml';
const RULES: readonly { readonly alert: string; readonly expr: string }[] = parse(
  readFileSync(FILE, 'utf8'),
).groups.flatMap(({ rules }: { rules: unknown }) => rules);
const PROMTOOL = spawnSync('promtool', ['--version']).status === 0;

test('every metric of the alert rules is there', async () => {
  const names = RULES.flatMap(({ expr }) => expr.match(/\b(?:aggregator|collector)_\w+/g) ?? []);
  expect(names.length).toBeGreaterThanOrEqual(RULES.length);
  const served = await servedMetrics(await temporaryDirectory());
  expect(names.filter((name) => !served.includes(`# TYPE ${name} `))).toEqual([]);
});

test('every alert has another name', () => {
  expect(new Set(RULES.map(({ alert }) => alert)).size).toBe(RULES.length);
});

test.skipIf(!PROMTOOL)(
  `promtool accepts the alert rules${PROMTOOL ? '' : ' (SKIPPED: needs promtool)'}`,
  () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', FILE], { encoding: 'utf8' });
    expect(`${stdout}${stderr}`).toContain(`${RULES.length} rules found`);
    expect(status).toBe(0);
  },
);
