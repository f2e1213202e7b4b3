import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { checkOf } from '../../src/records/check.ts';
import type { RecordBatch } from '../../src/records/record-batch.ts';
import { mintStreamId, type StreamId } from '../../src/records/stream-id.ts';
import { encodeRecordBatch } from '../../src/records/wire.ts';
import { openQueue, type Queue, type QueueOptions } from '../../src/storage/queue/queue.ts';
import type { IncomingBatch } from '../../src/storage/queue/queue-contract.ts';
import { capturedLogger } from '../support/captured-logger.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { recordBatch } from '../support/record-batches.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/**
 * A queue in a temporary directory, closed when the test has finished; `reopen` closes and opens it again.
 */
export async function queueFixture(overrides: Partial<QueueOptions> = {}) {
  const directory = overrides.directory ?? (await temporaryDirectory());
  const clock = new FakeClock();
  const { logger, lines } = capturedLogger();
  const open = async (more: Partial<QueueOptions> = {}) => {
    const queue = await openQueue({
      directory,
      clock,
      logger,
      metrics: new Registry(),
      maxBytes: 2 ** 30,
      whenFull: 'stop',
      deadLetterMaxBytes: 2 ** 20,
      freeSpace: { reserveBytes: 0, reserveFraction: 0 },
      ...overrides,
      ...more,
    });
    fixture.queue = queue;
    return queue;
  };
  const fixture = {
    directory,
    clock,
    lines,
    queue: undefined as unknown as Queue,
    open,
    reopen: async (more: Partial<QueueOptions> = {}) => {
      await fixture.queue.close();
      return open(more);
    },
  };
  onTestFinished(() => fixture.queue.close());
  await open();
  return fixture;
}

/** A batch as it comes in: these records at this place of a stream. */
export function incoming(
  records: readonly string[],
  place: { readonly stream?: StreamId; readonly start?: number } = {},
): IncomingBatch {
  return incomingBatch(recordBatch(records, { stream: mintStreamId(), ...place }));
}

export function incomingBatch(batch: RecordBatch): IncomingBatch {
  return { batch, encoded: encodeRecordBatch(batch), endCheck: checkOf(batch.data) };
}

/** Everything a cursor of this name would read, as text by entry. */
export async function readAll(queue: Queue, emitter = 'reader'): Promise<string[]> {
  const cursor = await queue.openCursor(emitter, 'oldest');
  const result: string[] = [];
  for (let entry = cursor.committed.entry; ; entry++) {
    const found = await cursor.read(entry);
    if (found === undefined) return result;
    result.push(Buffer.from(found.batch.data).toString());
    entry = found.number;
  }
}
