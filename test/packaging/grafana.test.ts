import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { servedMetrics } from '../support/served-metrics.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly w: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

const { panels } = JSON.parse(readFileSync('packaging/grafana/dashboard.json', 'utf8')) as Dashboard;

test('every metric of the dashboard is there', async () => {
  const names = panels
    .flatMap(({ targets }) => targets)
    .flatMap(({ expr }) => expr.match(/\b(?:aggregator|collector)_\w+/g) ?? [])
    .map((name) => name.replace(/_bucket$/, ''));
  expect(names.length).toBeGreaterThan(panels.length);
  const served = await servedMetrics(await temporaryDirectory());
  expect(names.filter((name) => !served.includes(`# TYPE ${name} `))).toEqual([]);
});

test('every panel has an id, a title and a place of its own', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
});
