import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, it, onTestFinished, vi } from 'vitest';
import { skipEntry } from '../../../src/aggregator/api/operations/queue-operations.ts';
import {
  createEmitterChain,
  type EmitterChain,
  type EmitterChainSettings,
} from '../../../src/aggregator/delivery/emitter-chain.ts';
import { DELIVERED, rejected } from '../../../src/emitters/outcome.ts';
import { mintStreamId } from '../../../src/records/stream-id.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { loggedOperations } from '../../../src/runtime/operations/operation-events.ts';
import { operationRoutes } from '../../../src/runtime/operations/operation-routes.ts';
import { ownerHandler } from '../../../src/runtime/operations/owner-handler.ts';
import type { Queue } from '../../../src/storage/queue/queue.ts';
import { callOpened } from '../../../testkit/owner-status.ts';
import { incoming, incomingBatch, queueFixture } from '../../storage/queue-fixture.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { MemoryEmitter } from '../../support/memory-emitter.ts';
import { MemoryNotifier } from '../../support/memory-notifier.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const NEVER = new AbortController().signal;

interface ChainParts {
  readonly queue: Queue;
  readonly emitter: MemoryEmitter;
  readonly notifier: MemoryNotifier;
}

async function startedChain(
  { queue, emitter, notifier }: ChainParts,
  settings: Partial<EmitterChainSettings> = {},
): Promise<EmitterChain> {
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
      ...settings,
    },
    notifier,
    clock: systemClock,
    logger: capturedLogger().logger,
    metrics: new Registry(),
  });
  onTestFinished(() => chain.stop(AbortSignal.abort()));
  await chain.start();
  return chain;
}

it('delivers from the queue on disk: dead letters, a replay rejected again, a restart, a replay', async () => {
  const { queue } = await queueFixture();
  const emitter = new MemoryEmitter();
  const notifier = new MemoryNotifier();
  const start = () => startedChain({ queue, emitter, notifier });

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

it('delivers up to a damaged entry, and continues after it when the operator skips it', async () => {
  const { queue: first, open, directory } = await queueFixture({ segmentBytes: 100 });
  for (const letter of ['a', 'b', 'c']) await first.append(incoming([`${letter.repeat(200)}\n`]));
  await first.close();
  const path = join(directory, 'queue', '00000002.segment');
  const bytes = await readFile(path);
  bytes.write('?', 150);
  await writeFile(path, bytes);

  const queue = await open();
  const parts = { queue, emitter: new MemoryEmitter(), notifier: new MemoryNotifier() };
  const chain = await startedChain(parts, { retryDelayMs: 10_000_000 });
  const handle = ownerHandler(
    operationRoutes({
      operations: [skipEntry],
      context: {
        queue: () => queue,
        configuredEmitters: new Set(['test']),
        deadLettersDiscarded: () => {},
        entrySkipped: () => chain.tryAgain(),
      },
      proven: 'owner',
      clock: systemClock,
      events: loggedOperations(capturedLogger().logger),
    }),
  );
  const skip = (name: string) => callOpened({ handle }, skipEntry, { parameters: { name } });
  await vi.waitFor(() =>
    expect(chain.status()).toMatchObject({
      failures: 1,
      reason: expect.stringContaining('emitters skip NAME'),
    }),
  );
  await vi.waitFor(() => expect(queue.knownEmitters()[0]?.committed).toEqual({ entry: 2, record: 0 }));
  expect(parts.emitter.delivered).toEqual([`${'a'.repeat(200)}\n`]);

  await expect(skip('other')).rejects.toThrow('Cannot skip an entry of emitter other: it does not exist');
  expect(await skip('test')).toEqual({ records: 1, bytes: 201 });
  await expect(skip('test')).rejects.toThrow('its next entry is not damaged');
  await vi.waitFor(() => expect(parts.emitter.delivered.slice(1)).toEqual([`${'c'.repeat(200)}\n`]));
  await chain.stop(NEVER);
  expect(queue.balance().emitters[0]).toMatchObject({ discarded: { records: 1 }, delivered: { records: 2 } });
});
