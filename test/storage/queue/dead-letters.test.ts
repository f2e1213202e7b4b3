import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type RecordBatch, sliceRecords } from '../../../src/records/record-batch.ts';
import { QueueError } from '../../../src/storage/queue/queue-contract.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { FaultyStore } from '../faulty-store.ts';
import { incomingBatch, queueFixture } from '../queue-fixture.ts';
import { failOnce, SimulatedDisk } from '../simulated-disk.ts';

/** A queue with one batch of four records, of which `file` has rejected the second and the third. */
async function withDeadLetters(overrides: Parameters<typeof queueFixture>[0] = {}) {
  const fixture = await queueFixture(overrides);
  const batch = recordBatch(lines(4));
  await fixture.queue.append(incomingBatch(batch));
  const cursor = await fixture.queue.openCursor('file', 'oldest');
  const pieces = [sliceRecords(batch, 1, 2), sliceRecords(batch, 2, 3)];
  await cursor.commit({
    point: { entry: 1, record: 4 },
    deadLetters: pieces.map((records) => ({ records, reason: 'not ours' })),
  });
  const ids = pieces.map(({ stream, start }) => `file/${stream}/${start}`);
  return { ...fixture, fixture, batch, cursor, pieces, ids };
}

function sameRecords(found: RecordBatch | undefined, expected: RecordBatch | undefined): void {
  expect(found === undefined ? undefined : { ...found, data: Buffer.from(found.data) }).toEqual(
    expected === undefined ? undefined : { ...expected, data: Buffer.from(expected.data) },
  );
}

describe('dead letters', () => {
  test('are listed in order, read back and counted, also after a restart', async () => {
    const { queue, reopen, ids, pieces, clock } = await withDeadLetters();
    const rejectedTimeUnixNano = clock.nowUnixNano();
    for (const again of [false, true]) {
      const now = again ? await reopen() : queue;
      const list = now.deadLetters.list('file');
      expect(list.map(({ id }) => id)).toEqual(ids);
      expect(list[0]).toEqual({
        id: ids[0],
        emitter: 'file',
        stream: pieces[0]?.stream,
        position: 7,
        records: 1,
        bytes: 7,
        reason: 'not ours',
        rejectedTimeUnixNano,
        replaying: false,
      });
      sameRecords(await now.deadLetters.read(ids[1] ?? ''), pieces[1]);
      expect(now.balance().emitters[0]).toMatchObject({
        deadLettered: { records: 2, bytes: 14 },
        delivered: { records: 2, bytes: 14 },
      });
    }
  });

  test('a requested replay survives a restart, and ends when the emitter has delivered them', async () => {
    const { queue, reopen, ids, directory } = await withDeadLetters();
    let asked = 0;
    queue.deadLetters.onReplayRequested(() => asked++);
    expect(await queue.deadLetters.requestReplay([...ids, 'file/nothing/0', `${ids[0]}9`])).toBe(2);
    expect(asked).toBe(1);
    const after = await reopen();
    expect(after.deadLetters.replaying('file').map(({ id }) => id)).toEqual(ids);
    const cursor = await after.openCursor('file', 'oldest');
    await cursor.commit({ point: cursor.committed, replayed: ids });
    expect(after.deadLetters.list()).toEqual([]);
    expect(after.balance().emitters[0]).toMatchObject({
      deadLettered: { records: 0 },
      delivered: { records: 4 },
    });
    await expect.poll(() => readdir(join(directory, 'dead-letters'))).toEqual([]);
  });

  test('discarding counts them as discarded', async () => {
    const { queue, ids, directory } = await withDeadLetters();
    expect(await queue.deadLetters.discard([ids[0] ?? '', ids[0] ?? '', 'nonsense'])).toBe(1);
    expect(queue.balance().emitters[0]).toMatchObject({
      deadLettered: { records: 1, bytes: 7 },
      discarded: { records: 1, bytes: 7 },
      delivered: { records: 2, bytes: 14 },
    });
    expect(await readdir(join(directory, 'dead-letters')), 'the other one remains').toHaveLength(1);
    expect(await queue.deadLetters.discard([ids[1] ?? ''])).toBe(1);
    await expect.poll(() => readdir(join(directory, 'dead-letters'))).toEqual([]);
  });

  test('belong to one emitter: another one cannot remove them by a replay', async () => {
    const { queue, ids } = await withDeadLetters();
    const other = await queue.openCursor('other', 'now');
    await other.commit({ point: other.committed, replayed: ids });
    expect(queue.deadLetters.list()).toHaveLength(2);
  });

  test('accept an emitter with a slash in its name', async () => {
    const { queue, batch } = await withDeadLetters();
    const cursor = await queue.openCursor('a/b', 'oldest');
    const [first] = [sliceRecords(batch, 0, 1)];
    await cursor.commit({ point: { entry: 1, record: 1 }, deadLetters: [{ records: first, reason: 'no' }] });
    const [letter] = queue.deadLetters.list('a/b');
    expect(letter?.emitter).toBe('a/b');
    sameRecords(await queue.deadLetters.read(letter?.id ?? ''), first);
    expect(queue.deadLetters.list('a')).toEqual([]);
  });

  test('are full when another one would exceed the limit', async () => {
    const { queue } = await withDeadLetters({ deadLetterMaxBytes: 1000 });
    expect(queue.deadLetters.full(10)).toBe(false);
    expect(queue.deadLetters.full(1000)).toBe(true);
  });
});

describe('when a commit with dead letters fails', () => {
  test.each(['writev', 'datasync'] as const)('%s: nothing has changed', async (operation) => {
    const disk = new SimulatedDisk();
    const { queue, cursor, batch } = await withDeadLetters({ fileSystem: disk.mount().fileSystem });
    await queue.append(incomingBatch({ ...batch, start: 100 }));
    const before = queue.balance();
    failOnce(disk, { [operation]: { code: 'ENOSPC' } });
    const deadLetters = [{ records: { ...batch, start: 100 }, reason: 'no' }];
    await expect(cursor.commit({ point: { entry: 3, record: 0 }, deadLetters })).rejects.toThrow(QueueError);
    expect(queue.balance()).toEqual(before);
    await cursor.commit({ point: { entry: 3, record: 0 }, deadLetters });
    expect(queue.deadLetters.list()).toHaveLength(3);
  });

  test('a failed transaction leaves no bytes', async () => {
    let store: FaultyStore | undefined;
    const { queue, cursor, batch, ids, directory } = await withDeadLetters({
      openStore: async (path) => {
        store = await FaultyStore.open(path);
        return store;
      },
    });
    await queue.append(incomingBatch({ ...batch, start: 100 }));
    await queue.deadLetters.discard(ids);
    if (store !== undefined) store.faultOf = () => 'fail';
    const deadLetters = [{ records: { ...batch, start: 100 }, reason: 'no' }];
    await expect(cursor.commit({ point: { entry: 3, record: 0 }, deadLetters })).rejects.toThrow(QueueError);
    expect(cursor.committed).toEqual({ entry: 2, record: 0 });
    await expect.poll(() => readdir(join(directory, 'dead-letters'))).toEqual([]);
    await expect(queue.deadLetters.discard(ids)).rejects.toThrow(QueueError);
  });
});
