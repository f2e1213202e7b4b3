import { Registry } from 'prom-client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createEmitterChain } from '../../../src/aggregator/delivery/emitter-chain.ts';
import { DELIVERED, rejected } from '../../../src/emitters/outcome.ts';
import { mintStreamId } from '../../../src/records/stream-id.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { incomingBatch, queueFixture } from '../../storage/queue-fixture.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { MemoryEmitter } from '../../support/memory-emitter.ts';
import { MemoryNotifier } from '../../support/memory-notifier.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const NEVER = new AbortController().signal;

it('delivers from the queue on disk: dead letters, a replay rejected again, a restart, a replay', async () => {
  const { queue } = await queueFixture();
  const emitter = new MemoryEmitter();
  const notifier = new MemoryNotifier();
  const start = async () => {
    const chain = createEmitterChain({
      cursor: await queue.openCursor('test', 'oldest'),
      deadLetters: queue.deadLetters,
      emitter,
      settings: {
        maxRecords: 100,
        publishFrequencyMs: 20,
        retryCount: 3,
        retryDelayMs: 5,
        afterRetries: 'hold',
      },
      notifier,
      clock: systemClock,
      logger: capturedLogger().logger,
      metrics: new Registry(),
    });
    onTestFinished(() => chain.stop(AbortSignal.abort()));
    await chain.start();
    return chain;
  };

  const records = lines(1000);
  const whole = recordBatch(records, { stream: mintStreamId() });
  emitter.onEmit = (texts) => (texts.includes('line 617\n') ? rejected('bad') : DELIVERED);
  const first = await start();
  await queue.append(incomingBatch(whole));
  await vi.waitFor(() => expect(emitter.delivered).toHaveLength(999), 10_000);
  const balance = () => queue.balance().emitters[0];
  await vi.waitFor(() =>
    expect(balance()).toMatchObject({
      delivered: { records: 999 },
      deadLettered: { records: 1 },
      queued: { records: 0 },
    }),
  );

  const letters = () => queue.deadLetters.list('test');
  emitter.onEmit = () => rejected('still bad');
  await queue.deadLetters.requestReplay(letters().map(({ id }) => id));
  await vi.waitFor(() =>
    expect(letters()).toMatchObject([{ reason: 'still bad', replaying: false, records: 1 }]),
  );
  expect(balance()).toMatchObject({ delivered: { records: 999 }, deadLettered: { records: 1 } });
  await first.stop(NEVER);

  emitter.onEmit = () => DELIVERED;
  await start();
  await queue.deadLetters.requestReplay(letters().map(({ id }) => id));
  await vi.waitFor(() => expect(letters()).toEqual([]));
  expect(emitter.delivered.at(-1)).toBe('line 617\n');
  expect(emitter.delivered).toHaveLength(1000);
  expect(balance()).toMatchObject({ delivered: { records: 1000 }, deadLettered: { records: 0 } });
  expect(notifier.open.size).toBe(0);
});
