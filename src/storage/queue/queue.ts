import { join } from 'node:path';
import { SegmentLog } from '../segments/segment-log.ts';
import { nodeFileSystem } from '../state/file-system.ts';
import { probeDisk } from '../state/probe-file.ts';
import { openStateStore } from '../state/state-store.ts';
import { WriteHealth } from '../state/write-health.ts';
import { Cursors } from './cursors.ts';
import { StoredDeadLetters } from './dead-letters.ts';
import { QUEUE_EVENTS } from './events.ts';
import { assertIndexFits } from './index-check.ts';
import { QueueIndex } from './queue-index.ts';
import type { Queue, QueueOptions } from './queue-options.ts';
import { recoverLog } from './queue-recovery.ts';
import { queueTables } from './queue-tables.ts';
import { SegmentQueue } from './segment-queue.ts';

export type { KnownEmitter } from './emitter-cursors.ts';
export type { Queue, QueueFullness, QueueOptions } from './queue-options.ts';

const MIB = 1024 * 1024;

/**
 * Opens the aggregator's durable log of accepted record batches.
 *
 *     <directory>/queue/          bytes of the entries         segment-log.ts
 *     <directory>/dead-letters/   bytes of rejected pieces     dead-letters.ts
 *     <directory>/state/          everything small, in LMDB    queue-tables.ts
 *
 *     append --> group-commit.ts --+--> segment + fdatasync --> one transaction (index, ranges, totals) --> resolve
 *                                  |
 *                queue-space.ts ---+    waits while the queue or the disk is full
 *
 *     openCursor --> queue-cursor.ts: read (memory, or pread + CRC) ... commit (cursor, state, dead letters, discarded)
 *                                  |
 *                trimming.ts <-----+    segments that all cursors have passed are removed
 *
 * Guarantees
 *   - A cursor sees an entry, and the ledger a range, only after the one transaction with both is on
 *     disk. There are never bytes without their range, nor a range without its bytes.
 *   - The index is authoritative. Bytes that it does not list are garbage, truncated at the next start.
 *   - Each commit of a cursor is a separate transaction; LMDB combines several, and the group commit's. It
 *     does not wait for bytes being written.
 *
 * When an entry cannot be read back (a damaged or missing file), `read` rejects with a CorruptQueueEntryError that
 * names file, entry and stream, each time: this emitter waits, the others and the intake continue. The operator
 * restores the file, or uses `skipCorruptEntry` to count the entry as discarded and continue after it. Missing or
 * short files are reported at the start already.
 *
 * Limits: `maxBytes` of disk for the queue, `deadLetterMaxBytes` for the dead letters; in memory 6 MiB of recent
 * records, two entries and one of read-ahead for each emitter, the ledger's bounded caches, and waiting batches of `append`.
 *
 * Rejects with a QueueError when the index is damaged, with a StateStoreError when LMDB cannot open its file.
 */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  const { directory, openStore = openStateStore, fileSystem = nodeFileSystem } = options;
  const { segmentBytes = Math.min(64 * MIB, Math.max(MIB, Math.floor(options.maxBytes / 16))) } = options;
  const { stateStepBytes: stepBytes } = options;
  const health = new WriteHealth(options.clock, async () => {
    await store.write(() =>
      store.table<number>('probe').put('time', Number(options.clock.nowUnixNano() / 1_000_000n)),
    );
    await probeDisk(directory, fileSystem);
  });
  const onCommit = (failure: Error | undefined) =>
    failure === undefined ? health.succeeded('state') : health.failed('state', failure);
  const store = await openStore(join(directory, 'state'), {
    onCommit,
    ...(stepBytes !== undefined && { stepBytes }),
  });
  const opened: SegmentLog[] = [];
  const openLog = async (name: string, bytes: number) => {
    const log = await SegmentLog.open({ directory: join(directory, name), segmentBytes: bytes, fileSystem });
    opened.push(log);
    return log;
  };
  try {
    const events = QUEUE_EVENTS.open({ logger: options.logger, metrics: options.metrics });
    const tables = queueTables(store);
    const index = new QueueIndex(tables);
    const log = await openLog('queue', segmentBytes);
    await recoverLog({ log, index, events });
    const cursors = new Cursors(store, tables, index);
    assertIndexFits(index, cursors);
    const deadLetters = await StoredDeadLetters.open({
      ...{ store, tables, cursors, events },
      log: await openLog('dead-letters', 8 * MIB),
      clock: options.clock,
      maxBytes: options.deadLetterMaxBytes,
    });
    const queue = new SegmentQueue(options, {
      ...{ store, tables, index, log, cursors, deadLetters, events, segmentBytes, fileSystem, health },
    });
    await queue.start();
    return queue;
  } catch (error) {
    for (const log of opened) await log.close();
    await store.close();
    throw error;
  }
}
