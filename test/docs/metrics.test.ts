import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { servedMetrics } from '../support/served-metrics.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const METRIC = /`((?:aggregator|collector)_[a-z_]+[a-z])[`{]/g;

test('every metric that the documentation names is there', async () => {
  const pages = readdirSync('docs').filter((name) => name.endsWith('.md'));
  const named = pages.flatMap((page) =>
    [...readFileSync(join('docs', page), 'utf8').matchAll(METRIC)].map(([, name = '']) => name),
  );
  const served = await servedMetrics(await temporaryDirectory());
  const missing = named.filter((name) => !served.includes(`# TYPE ${name} `));
  expect(named.length).toBeGreaterThan(100);
  expect(missing).toEqual([]);
});
