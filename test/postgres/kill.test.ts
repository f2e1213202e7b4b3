import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { readBalance, untilReady } from '../../testkit/product.ts';
import { FebeClient } from '../support/febe-client.ts';
import { LogplexEndpoint } from '../support/logplex-endpoint.ts';
import { startedPair, testPair } from '../support/processes.ts';
import { readMetric, submitServes } from '../support/served-standalone.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PATIENT = { timeout: 60_000, interval: 50 };
const ROUNDS = 8;
const PER_ROUND = 2_000;
/** Each round is killed at another moment. */
const LATER_MS = 5;

/** Writes numbered records, as a process of PostgreSQL does, and connects again when the collector was gone. */
class Sender {
  sent = 0;
  readonly #path: string;
  #client: FebeClient | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  get all(): string[] {
    return Array.from({ length: this.sent }, (_, number) => `record ${number}`);
  }

  async send(count: number): Promise<void> {
    if (this.#client === undefined || this.#client.closed)
      this.#client = await vi.waitFor(() => FebeClient.greeted(this.#path, 'db'), PATIENT);
    for (const end = this.sent + count; this.sent < end; this.sent++)
      await this.#client.record(`record ${this.sent}`, { SeqNum: this.sent + 1 });
  }
}

async function served() {
  const directory = await temporaryDirectory();
  const path = join(directory, 'db.sock');
  return {
    directory,
    path,
    sender: new Sender(path),
    env: { SERVE_DB_DIR: directory, COLLECTOR_TAIL: '/no/such/file' },
  };
}

/** Everything that was sent is on the disk of the collector. */
async function untilJournaled(collectorHttp: string, records: number): Promise<void> {
  const name = 'collector_pg_logfebe_journal_records_total';
  await vi.waitFor(async () => expect(await readMetric(collectorHttp, name)).toBe(records), PATIENT);
}

describe('kill -9', () => {
  it('between journal and aggregator: no record lost, none doubled', { timeout: 180_000 }, async () => {
    const { directory, path, sender, env } = await served();
    await submitServes(directory, [{ i: 'db', p: path, url: 'https://token:t.one@localhost/' }]);
    const pair = await testPair({
      collectorEnv: env,
      aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '20ms' },
    });
    const format = JSON.stringify({ path: pair.outputPath, format: 'json' });
    const startAggregator = () => pair.startAggregator({ env: { AGGREGATOR_FILE_CONFIGURATION: format } });
    let aggregator = startAggregator();
    for (let round = 0; round < ROUNDS; round++) {
      const collector = pair.startCollector();
      await untilReady(collector, pair.collectorHttp);
      const before = sender.sent;
      await sender.send(PER_ROUND);
      await untilJournaled(pair.collectorHttp, sender.sent - before);
      await sleep(round * LATER_MS);
      await collector.kill();
      if (round % 2 === 0) continue;
      await aggregator.kill();
      aggregator = startAggregator();
    }
    const collector = pair.startCollector();
    await vi.waitFor(async () => {
      const text = await readFile(pair.outputPath, 'utf8').catch(() => '');
      const bodies = text
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { body: string }).body);
      expect(bodies.length).toBeGreaterThanOrEqual(sender.sent);
      expect(bodies).toEqual(sender.all);
    }, PATIENT);
    await collector.stop();
    expect(await readBalance(pair.aggregatorState)).toMatchObject({ accepted: { records: sender.sent } });
  });

  it('between aggregator and endpoint: no record lost, none doubled up to the emitter', {
    timeout: 180_000,
  }, async () => {
    const { directory, path, sender, env } = await served();
    const endpoint = await LogplexEndpoint.start();
    await submitServes(directory, [{ i: 'db', p: path, url: endpoint.url() }]);
    const aggregatorEnv = {
      AGGREGATOR_LOGPLEX_CONFIGURATION: JSON.stringify({ serve_db_dir: directory }),
      AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms',
      AGGREGATOR_MAX_BATCH_SIZE: '100',
    };
    const pair = await startedPair({ collectorEnv: env, aggregatorEnv });
    let { aggregator } = pair;
    for (let round = 0; round < ROUNDS; round++) {
      const sending = sender.send(PER_ROUND);
      await sleep(round * LATER_MS * 5);
      await aggregator.kill();
      aggregator = pair.startAggregator();
      await untilReady(aggregator, pair.aggregatorHttp);
      await sending;
    }
    const numbers = () => new Set(endpoint.texts().map((text) => text.trimEnd()));
    await vi.waitFor(() => expect(numbers().size).toBe(sender.sent), PATIENT);
    expect(numbers()).toEqual(new Set(sender.all));
    await vi.waitFor(
      async () =>
        expect(await readBalance(pair.aggregatorState)).toMatchObject({
          accepted: { records: sender.sent },
          emitters: expect.arrayContaining([
            expect.objectContaining({
              emitter: 'logplex',
              delivered: expect.objectContaining({ records: sender.sent }),
            }),
          ]),
        }),
      PATIENT,
    );
    expect(endpoint.faults).toEqual([]);
  });
});
