import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { batchOf } from '../../../src/records/batch.ts';
import { endOf, type RecordBatch } from '../../../src/records/record-batch.ts';
import type { StreamId } from '../../../src/records/stream-id.ts';
import { runCommand } from '../../../testkit/running-process.ts';
import { SmallDisk } from '../../../testkit/small-disk.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { COUNT, never, query, startedOn } from './emitting.ts';

const RECORDS = 1000;
/** More than the write-ahead log holds before its checkpoint, which then needs space in the file, too. */
const DISK_MEGABYTES = 100;

async function smallDisk(): Promise<SmallDisk | undefined> {
  const disk = await SmallDisk.mount(join(await temporaryDirectory(), 'disk'), DISK_MEGABYTES);
  onTestFinished(() => disk?.unmount());
  return disk;
}

const isRoot = process.getuid?.() === 0 && existsSync('/proc/mounts');

function part(start: number): RecordBatch {
  // Nothing that could be compressed.
  const records = Array.from({ length: RECORDS }, () => `${randomBytes(600).toString('base64')}\n`);
  return recordBatch(records, { stream: 'ab'.repeat(16) as StreamId, start });
}

test.runIf(isRoot)(
  'loses nothing on a full disk, and continues when there is space',
  {
    timeout: 120_000,
  },
  async () => {
    const disk = await smallDisk();
    if (disk === undefined) return;
    const emitter = await startedOn(join(disk.directory, 'logs.duckdb'));
    disk.fill(90_000_000);
    let stored = 0;
    let failures = 0;
    let batch = part(0);
    for (let attempt = 0; attempt < 400 && stored < 150; attempt++) {
      const emitted = await emitter.emit(batchOf([batch]), never);
      const outcome = emitted.kind === 'delivered' ? await emitter.flush(never) : emitted;
      if (outcome.kind === 'delivered') {
        stored++;
        batch = part(endOf(batch));
        continue;
      }
      failures++;
      expect(outcome).toMatchObject({
        kind: 'retry',
        rolledBack: true,
        reason: expect.stringMatching(/No space left.*free space/),
      });
      const n = stored * RECORDS;
      const [counted] = await query(emitter, COUNT);
      // One more, when it was the checkpoint after the commit that found no room.
      expect([n, n + RECORDS]).toContain(counted?.n);
      if (failures === 3) {
        disk.free();
        await runCommand({
          name: 'mount',
          command: 'mount',
          args: ['-o', 'remount,size=400m', disk.directory],
        });
      }
    }
    expect(failures).toBeGreaterThanOrEqual(3);
    const n = stored * RECORDS;
    expect(await query(emitter, COUNT)).toEqual([{ n, distinct_n: n }]);
  },
);
