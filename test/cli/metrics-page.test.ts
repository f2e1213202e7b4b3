import { expect, test } from 'vitest';
import { METRIC_SECTIONS, metricsPage } from '../../src/cli/metrics-page.ts';

const metrics = METRIC_SECTIONS.flatMap(({ tables }) =>
  tables.flatMap((table) =>
    Object.values(table.metrics).map((metric) => ({ ...metric, name: table.prefix + metric.name })),
  ),
);

test('every metric has a row of its own', () => {
  const page = metricsPage();
  for (const { name } of metrics) expect(page.match(new RegExp(`\`${name}[\`{]`, 'g')), name).toHaveLength(1);
});

test('the help of a metric is a phrase without a full stop', () => {
  for (const { name, help } of metrics) expect(help, name).toMatch(/^[A-Z0-9].*[^.]$/);
});
