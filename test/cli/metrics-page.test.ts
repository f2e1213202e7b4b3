import { expect, test } from 'vitest';
import { METRIC_SECTIONS, metricsPage } from '../../src/cli/metrics-page.ts';
import { servedMetrics } from '../support/served-metrics.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const TYPE = /^# TYPE ((?:aggregator|collector)_\S+) (\S+)$/gm;
/** Of prom-client. */
const DEFAULT = /^(?:aggregator|collector)_(?:process|nodejs)_/;

const documented = METRIC_SECTIONS.flatMap(({ tables }) =>
  tables.flatMap(({ prefix, metrics }) =>
    Object.values(metrics).map(({ name, kind }) => `${prefix}${name} ${kind}`),
  ),
);

test('has the metrics that a process with all emitters and sources serves, with their types', async () => {
  const text = await servedMetrics(await temporaryDirectory());
  const served = [...text.matchAll(TYPE)]
    .filter(([, name = '']) => !DEFAULT.test(name))
    .map(([, name, kind]) => `${name} ${kind}`);
  expect(served.toSorted()).toEqual(documented.toSorted());
});

test('names each metric once', () => {
  expect(new Set(documented).size).toBe(documented.length);
});

test('lists the metrics that need attention first', () => {
  const page = metricsPage();
  expect(page).toContain('| `aggregator_intake_stopped` | is 1: collectors wait |');
  expect(page.indexOf('## Metrics that need attention')).toBeLessThan(page.indexOf('## Aggregator: intake'));
});
