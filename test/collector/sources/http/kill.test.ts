import { readFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../../testkit/free-ports.ts';
import { productIsBuilt, untilReady } from '../../../../testkit/product.ts';
import { testPair } from '../../../support/processes.ts';

const REQUESTS = 240;
const ROUNDS = 3;
const RECORDS_OF_REQUEST = 20;
const SLOW = { timeout: 60_000, interval: 50 };

describe.skipIf(!productIsBuilt())('a collector that is killed', { timeout: 240_000 }, () => {
  it('stores each record of an answered request, also when it is killed in the middle of requests', async () => {
    const port = await freePort();
    const pair = await testPair({ collectorEnv: { COLLECTOR_HTTP: `http://127.0.0.1:${port}` } });
    await untilReady(pair.startAggregator(), pair.aggregatorHttp);
    const answered = new Set<number>();
    let failures = 0;
    let next = 0;
    const post = async (request: number) => {
      const lines = Array.from({ length: RECORDS_OF_REQUEST }, (_, index) => `${request} ${index}`);
      const body = lines.join('\n');
      const headers = { 'content-type': 'text/plain' };
      try {
        const response = await fetch(`http://127.0.0.1:${port}/v1/push`, { method: 'POST', headers, body });
        if (response.status === 200) answered.add(request);
        else failures++;
      } catch {
        failures++;
      }
    };
    for (let round = 1; round <= ROUNDS; round++) {
      const collector = pair.startCollector();
      await untilReady(collector, pair.collectorHttp);
      const before = failures;
      const killAt = round === ROUNDS ? Number.POSITIVE_INFINITY : (REQUESTS / ROUNDS) * round;
      const worker = async () => {
        while (next < REQUESTS && (failures === before || round === ROUNDS)) {
          if (next === killAt) collector.signal('SIGKILL');
          await post(next++);
        }
      };
      await Promise.all(Array.from({ length: 8 }, worker));
      if (round < ROUNDS) await collector.exited;
    }
    expect(failures).toBeGreaterThan(0);
    const expected = [...answered].flatMap((request) =>
      Array.from({ length: RECORDS_OF_REQUEST }, (_, index) => `${request} ${index}`),
    );
    const missing = async () => {
      const stored = new Set((await readFile(pair.outputPath, 'utf8').catch(() => '')).split('\n'));
      return expected.filter((line) => !stored.has(line));
    };
    await vi.waitFor(async () => expect(await missing()).toEqual([]), SLOW);
    const lines = (await readFile(pair.outputPath, 'utf8')).trimEnd().split('\n');
    expect(new Set(lines).size).toBe(lines.length);
  });
});
