import { Registry } from 'prom-client';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createEmitterChain } from '../../../src/aggregator/delivery/emitter-chain.ts';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { MemoryNotifier } from '../../support/memory-notifier.ts';
import { MemoryQueue } from '../../support/memory-queue.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { MISSING, PostgresStand, store } from './postgres-stand.ts';

describe.skipIf(MISSING !== '')(`Delivery to PostgreSQL${MISSING}`, () => {
  const stand = PostgresStand.forSuite();

  test('moves records that the database rejects to the dead letters, and stores all others once', async () => {
    const database = await stand.createDatabase();
    const emitter = await stand.emitter({ database });
    await store(emitter, recordBatch(['first\n']));
    await stand.server.sql(
      `alter table mega_collector.log_records add constraint no_poison check (body not like 'poison%')`,
      { database },
    );
    const queue = new MemoryQueue(systemClock);
    const chain = createEmitterChain({
      cursor: queue.cursor('test'),
      deadLetters: queue.deadLetters,
      emitter,
      settings: {
        maxRecords: 100,
        publishFrequencyMs: 1,
        retryCount: 3,
        retryDelayMs: 10,
        afterRetries: 'hold',
      },
      notifier: new MemoryNotifier(),
      clock: systemClock,
      logger: capturedLogger().logger,
      metrics: new Registry(),
    });
    onTestFinished(() => chain.stop(AbortSignal.abort()));
    const bodies = Array.from({ length: 600 }, (_, index) =>
      index % 97 === 13 ? `poison ${index}` : `line ${index}`,
    );
    for (let from = 0; from < bodies.length; from += 40) {
      queue.append(recordBatch(bodies.slice(from, from + 40).map((body) => `${body}\n`)));
    }
    await chain.start();
    await vi.waitFor(() => expect(queue.cursor('test').committed).toEqual({ entry: 16, record: 0 }), {
      timeout: 30_000,
      interval: 50,
    });
    const client = await stand.client(database);
    const { rows } = await client.query<{ body: string }>(
      `select body from mega_collector.log_records where body <> 'first'`,
    );
    const isPoison = (body: string) => body.startsWith('poison');
    expect(rows.map(({ body }) => body).sort()).toEqual(bodies.filter((body) => !isPoison(body)).sort());
    const dead = queue.deadLetters.list('test');
    expect(dead.reduce((sum, { records }) => sum + records, 0)).toBe(bodies.filter(isPoison).length);
    expect(dead[0]?.reason).toMatch(/violates check constraint "no_poison"/);

    const page = await createLogSearch(emitter.database, { clock: systemClock }).search({
      text: 'LINE 59',
      limit: 100,
    });
    expect(page.entries.map(({ body }) => body).sort()).toEqual(
      bodies.filter((body) => body.startsWith('line 59')).sort(),
    );
  });
});
