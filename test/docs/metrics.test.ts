import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inProcessPair } from '../support/in-process-pair.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const METRIC = /`((?:aggregator|collector)_[a-z_]+[a-z])`/g;
/** Registered only with certain configurations; the tests of their folders cover them. */
const ELSEWHERE = /^(?:aggregator_emitter_(?:gelf|logplex|postgres)|collector_(?:pg_logfebe|journal))_/;

/** Has the metrics of all folders, whatever the configuration; `make lint` compares it with the source code. */
const GENERATED = 'metrics.md';

test('every metric that the documentation names is there', async () => {
  const pages = readdirSync('docs').filter((name) => name.endsWith('.md') && name !== GENERATED);
  const named = pages.flatMap((page) =>
    [...readFileSync(join('docs', page), 'utf8').matchAll(METRIC)].map(([, name = '']) => name),
  );
  const pair = await inProcessPair(await temporaryDirectory());
  await (await pair.createAggregator()).start();
  await (await pair.createCollector()).start();
  const served = await Promise.all(
    [pair.aggregatorHttp, pair.collectorHttp].map(async (address) =>
      (await fetch(`http://${address}/metrics`)).text(),
    ),
  );
  const missing = named.filter(
    (name) => !ELSEWHERE.test(name) && !served.some((text) => text.includes(`# TYPE ${name} `)),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(missing).toEqual([]);
});
