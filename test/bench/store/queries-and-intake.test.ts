import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { fillDuckDb } from '../../../bench/store/fill-duckdb.ts';
import { layOutPair } from '../../../testkit/pair.ts';
import { productIsBuilt, untilReady } from '../../../testkit/product.ts';
import type { RunningProcess } from '../../../testkit/running-process.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const DAY_MS = 86_400_000;
const ROWS = 300_000;
/** As many as the aggregator accepts at the same time, and more. */
const QUERIES = 16;
const BATCHES = 20;

function untilFinished(child: RunningProcess): RunningProcess {
  onTestFinished(async () => void (await child.kill()));
  return child;
}

/** An aggregator whose store has so many rows that a query takes a while, and a collector that tails a log. */
async function filledPair() {
  const directory = await temporaryDirectory();
  const path = join(directory, 'logs.duckdb');
  await fillDuckDb({ path, rows: ROWS, fromUnixMs: Date.now() - DAY_MS, spanMs: DAY_MS / 2 });
  const store = { AGGREGATOR_DUCKDB_CONFIGURATION: JSON.stringify({ path, retention_age: 0 }) };
  const pair = await layOutPair({ directory, emitters: store });
  await untilReady(untilFinished(pair.startAggregator()), pair.aggregatorHttp, 60_000);
  await untilReady(untilFinished(pair.startCollector()), pair.collectorHttp, 60_000);
  return pair;
}

/** Queries that read every row, all at once. `isUnfinished`: at least one of them has no answer yet. */
function slowQueries(httpAddress: string) {
  const words = Array.from({ length: 12 }, (_, at) => `body ~ "(a|b|c)+[0-9]*${at}.*(x|y)z$"`);
  const ending = new AbortController();
  const statuses: number[] = [];
  const ask = async (number: number) => {
    const where = encodeURIComponent(`${words.join(' or ')} or body contains "none ${number}"`);
    const path = `v1/logs?limit=1000&where=${where}`;
    const answer = await fetch(`http://${httpAddress}/${path}`, { signal: ending.signal });
    statuses.push(answer.status);
    await answer.arrayBuffer();
  };
  const asked = Promise.allSettled(Array.from({ length: QUERIES }, (_, number) => ask(number)));
  const end = async () => {
    ending.abort();
    await asked;
  };
  return { statuses, isUnfinished: () => statuses.length < QUERIES, end };
}

async function acceptedRecords(httpAddress: string): Promise<number> {
  const answer = await fetch(`http://${httpAddress}/v1/status`);
  return ((await answer.json()) as { readonly accepted: { readonly records: number } }).accepted.records;
}

describe.skipIf(!productIsBuilt())('an aggregator whose store answers slow queries', () => {
  test('accepts batch after batch while they run', { timeout: 240_000 }, async () => {
    const { aggregatorHttp, logDirectory } = await filledPair();
    let written = 0;
    let acceptedMeanwhile = 0;
    while (acceptedMeanwhile < BATCHES) {
      const { statuses, isUnfinished, end } = slowQueries(aggregatorHttp);
      while (isUnfinished() && acceptedMeanwhile < BATCHES) {
        await appendFile(join(logDirectory, 'app.log'), `line ${written++}\n`);
        while ((await acceptedRecords(aggregatorHttp)) < written) await new Promise(setImmediate);
        if (isUnfinished()) acceptedMeanwhile++;
      }
      await end();
      // The queries were valid; too many of them at once, and one that takes too long, are rejected.
      expect(statuses.filter((status) => ![200, 503, 504].includes(status))).toEqual([]);
    }
    expect(acceptedMeanwhile).toBe(BATCHES);
  });
});
