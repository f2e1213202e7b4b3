import { readdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/records/json.ts';
import { emptyChecksum, extendChecksum } from '../../../src/records/running-checksum.ts';
import { mintStreamId, type StreamId } from '../../../src/records/stream-id.ts';
import { CorruptQueueEntryError } from '../../../src/storage/queue/corrupt-queue-entry-error.ts';
import { MAX_RANGES, MAX_SHARED_RANGES } from '../../../src/storage/queue/group-plan.ts';
import { type IncomingBatch, QueueError } from '../../../src/storage/queue/queue-contract.ts';
import { openStateStore } from '../../../src/storage/state/state-store.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { FaultyStore } from '../faulty-store.ts';
import { incoming, incomingBatch, queueFixture, readAll } from '../queue-fixture.ts';
import { failOnce, SimulatedDisk } from '../simulated-disk.ts';

describe('the memory of received records', () => {
  test('is reported after the commit of the cursor that has read them, or when no cursor has read them', async () => {
    const unused = new Set<Uint8Array>();
    const { queue } = await queueFixture({ onUnused: (bytes) => unused.add(bytes) });
    const data = (batch: IncomingBatch) => batch.batch.data;
    const batches = Array.from({ length: 5 }, (_, index) => incoming([`${index}\n`]));
    const reported = () => batches.map((batch) => unused.has(data(batch)));
    const cursor = await queue.openCursor('file', 'oldest', true);
    for (const batch of batches) await queue.append(batch);
    for (let entry = 1; entry <= 5; entry++) await cursor.read(entry);
    await cursor.commit({ point: { entry: 3, record: 0 } });
    expect(reported()).toEqual([true, true, false, false, false]);
    // These displace the others from memory; the cursor still uses the entries 3 to 5.
    const large = Array.from({ length: 8 }, () => incomingBatch(recordBatch([Buffer.alloc(2 ** 20, 'a')])));
    for (const batch of large) await queue.append(batch);
    expect(unused.has(data(large[0] as IncomingBatch))).toBe(true);
    expect(reported()).toEqual([true, true, false, false, false]);
    await cursor.commit({ point: { entry: 6, record: 0 } });
    expect(reported()).toEqual([true, true, true, true, true]);
  });

  test('is not reported for entries before the point of a commit that the caller still uses', async () => {
    const unused = new Set<Uint8Array>();
    const { queue } = await queueFixture({ onUnused: (bytes) => unused.add(bytes) });
    const cursor = await queue.openCursor('file', 'oldest', true);
    const batches = [incoming(['one\n']), incoming(['two\n'])];
    for (const batch of batches) await queue.append(batch);
    for (const entry of [1, 2]) await cursor.read(entry);
    await cursor.commit({ point: { entry: 3, record: 0 }, unusedBefore: 2 });
    expect(batches.map(({ batch }) => unused.has(batch.data))).toEqual([true, false]);
    await cursor.commit({ point: { entry: 3, record: 0 } });
    expect(batches.map(({ batch }) => unused.has(batch.data))).toEqual([true, true]);
  });

  test('is never reported for records that a cursor keeps', async () => {
    const unused = new Set<Uint8Array>();
    const { queue } = await queueFixture({ onUnused: (bytes) => unused.add(bytes) });
    const [file, store] = [
      await queue.openCursor('file', 'oldest', true),
      await queue.openCursor('store', 'oldest'),
    ];
    const batch = incoming(['one\n']);
    await queue.append(batch);
    for (const cursor of [file, store]) {
      await cursor.read(1);
      await cursor.commit({ point: { entry: 2, record: 0 } });
    }
    expect(unused.has(batch.batch.data)).toBe(false);
  });

  test('is reported for a compressed message when its inflated records are committed', async () => {
    const unused = new Set<Uint8Array>();
    const { queue } = await queueFixture({ onUnused: (bytes) => unused.add(bytes) });
    const batch = incomingBatch(recordBatch([Buffer.alloc(100_000, 'a')]));
    await queue.append(batch);
    expect(unused.has(batch.encoded)).toBe(true);
    expect(unused.has(batch.batch.data)).toBe(false);
  });
});

describe('append', () => {
  test('stores a complete batch with its metadata', async () => {
    const { queue, reopen, clock } = await queueFixture();
    const batch = recordBatch(['a\n', 'bb'], {
      start: 1000,
      format: 'json',
      resource: new Map([['service.name', 'x']]),
      marks: [{ index: 1, mark: 'unterminated' }],
    });
    await queue.append(incomingBatch(batch));
    const cursor = await queue.openCursor('file', 'oldest');
    const expected = { number: 1, batch, acceptedTimeUnixNano: clock.nowUnixNano() };
    expect(await cursor.read(1)).toEqual(expected);
    const again = await (await reopen()).openCursor('file', 'oldest');
    const fromDisk = await again.read(1);
    expect({ ...fromDisk?.batch, data: Buffer.from(fromDisk?.batch.data ?? []) }).toEqual(batch);
    expect(fromDisk?.acceptedTimeUnixNano).toBe(expected.acceptedTimeUnixNano);
  });

  test('counts the time of storing a batch as time since its arrival', async () => {
    const { queue, clock } = await queueFixture();
    const arrivedUnixNano = clock.nowUnixNano();
    const appended = queue.append(incoming(['a\n']));
    await clock.advance(7);
    await appended;
    const cursor = await queue.openCursor('file', 'oldest');
    expect((await cursor.read(1))?.acceptedTimeUnixNano).toBe(arrivedUnixNano);
  });

  test('stores only new bytes of repetitions and overlaps', async () => {
    const { queue, reopen } = await queueFixture();
    const stream = mintStreamId();
    await queue.append(incoming(['one\n', 'two\n'], { stream }));
    await queue.append(incoming(['one\n', 'two\n'], { stream }));
    await queue.append(incoming(['two\n', 'three\n'], { stream, start: 4 }));
    await queue.append(incoming(['re', 'e\nfour\n'], { stream, start: 10 }));
    const expected = ['one\ntwo\n', 'three\n', 'four\n'];
    expect(await readAll(queue)).toEqual(expected);
    expect(await readAll(await reopen())).toEqual(expected);
  });

  test('finds a record by its position while its entry is there', async () => {
    const { queue } = await queueFixture();
    const [stream, other] = [mintStreamId(), mintStreamId()];
    await queue.append(incoming(['one\n', 'two\n'], { stream, start: 100 }));
    await queue.append(incoming(['other\n'], { stream: other, start: 104 }));
    await queue.append(incoming(['three\n'], { stream, start: 108 }));
    const textAt = async (position: number) => {
      const found = await queue.findRecord(stream, position);
      return found === undefined ? undefined : [Buffer.from(found.data).toString(), found.start];
    };
    expect(await textAt(104)).toEqual(['two\n', 104]);
    expect(await textAt(108)).toEqual(['three\n', 108]);
    for (const position of [0, 101, 114]) expect(await textAt(position)).toBeUndefined();
    expect(await queue.findRecord(mintStreamId(), 0)).toBeUndefined();
  });

  test('stores a repetition in the same group once, and resolves both', async () => {
    const { queue } = await queueFixture();
    const batch = incoming(['one\n']);
    await Promise.all([queue.append(batch), queue.append(batch), queue.append(batch)]);
    expect(await readAll(queue)).toEqual(['one\n']);
    expect(queue.balance().accepted).toEqual({ records: 1, bytes: 4 });
  });

  test('stores a batch around existing bytes in two pieces', async () => {
    const { queue } = await queueFixture();
    const stream = mintStreamId();
    await queue.append(incoming(['BB'], { stream, start: 2 }));
    await queue.append(incoming(['aaBBcc'], { stream }));
    expect(await readAll(queue)).toEqual(['BB', 'aa', 'cc']);
    expect(queue.ledger.ranges(stream)).toEqual([{ start: 0, end: 6 }]);
  });

  test('accepts gaps, and counts them', async () => {
    const metrics = new Registry();
    const { queue } = await queueFixture({ metrics });
    const stream = mintStreamId();
    await queue.append(incoming(['aa'], { stream }));
    await queue.append(incoming(['cc'], { stream, start: 10 }));
    await queue.append(incoming(['bb'], { stream, start: 4 }));
    expect(queue.ledger.ranges(stream)).toEqual([
      { start: 0, end: 2 },
      { start: 4, end: 6 },
      { start: 10, end: 12 },
    ]);
    expect(await metrics.metrics()).toContain('aggregator_queue_gaps_total 1');
    expect(await metrics.metrics()).toContain('aggregator_queue_appended_bytes_total 6');
  });

  test('accepts any number of gaps in a stream that other aggregators receive too', async () => {
    const { queue } = await queueFixture();
    const stream = mintStreamId();
    const starts = Array.from({ length: MAX_RANGES + 10 }, (_, index) => index * 10);
    await Promise.all(
      starts.map((start) => queue.append({ ...incoming(['x\n'], { stream, start }), isShared: true })),
    );
    expect(await readAll(queue)).toHaveLength(starts.length);
    expect(queue.ledger.ranges(stream)).toHaveLength(MAX_SHARED_RANGES);
    const last = starts.at(-1) ?? 0;
    await queue.append({ ...incoming(['x\n'], { stream, start: last }), isShared: true });
    expect(await readAll(queue, 'again')).toHaveLength(starts.length);
  });

  test('rejects a stream with too many gaps, but not others in the group', async () => {
    const { queue } = await queueFixture();
    const stream = mintStreamId();
    const holes = Array.from({ length: 1000 }, (_, i) =>
      queue.append(incoming(['x'], { stream, start: i * 2 })),
    );
    await Promise.all(holes);
    const [refused, other] = await Promise.allSettled([
      queue.append(incoming(['x'], { stream, start: 5000 })),
      queue.append(incoming(['y'])),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { name: 'BatchRefusedError' } });
    expect(other.status).toBe('fulfilled');
    await queue.append(incoming(['x'], { stream, start: 1 }));
  });

  test('is rejected after close', async () => {
    const { queue } = await queueFixture();
    await queue.close();
    await expect(queue.append(incoming(['x']))).rejects.toThrow(QueueError);
  });
});

describe('when a commit fails', () => {
  test.each(['writev', 'datasync', 'create', 'syncDirectory'] as const)(
    '%s: rejects the whole group, stores nothing, and accepts it again',
    async (operation) => {
      const disk = new SimulatedDisk();
      const { queue } = await queueFixture({ fileSystem: disk.mount().fileSystem });
      const batches = [incoming(['one\n']), incoming(['two\n'])];
      failOnce(disk, { [operation]: { code: 'ENOSPC', partly: 3 } });
      const failed = await Promise.allSettled(batches.map((batch) => queue.append(batch)));
      for (const result of failed) expect(result).toMatchObject({ reason: { name: 'QueueError' } });
      expect(queue.ledger.ranges(batches[0]?.batch.stream ?? mintStreamId())).toEqual([]);
      expect(queue.balance()).toMatchObject({ accepted: { records: 0 }, diskBytes: 0 });
      await Promise.all(batches.map((batch) => queue.append(batch)));
      expect(await readAll(queue)).toEqual(['one\n', 'two\n']);
    },
  );

  test('rejects batches that wait after a failed group, to keep the order', async () => {
    const disk = new SimulatedDisk();
    const { queue } = await queueFixture({ fileSystem: disk.mount().fileSystem });
    const stream = mintStreamId();
    failOnce(disk, { datasync: { code: 'EIO' } });
    const first = queue.append(incoming(['one\n'], { stream }));
    await new Promise((resolve) => setImmediate(resolve));
    const second = queue.append(incoming(['two\n'], { stream, start: 4 }));
    for (const result of await Promise.allSettled([first, second])) expect(result.status).toBe('rejected');
    expect(queue.ledger.ranges(stream)).toEqual([]);
  });

  test('rolls back bytes and ranges of a failed commit', async () => {
    let store: FaultyStore | undefined;
    const { queue } = await queueFixture({
      openStore: async (directory) => {
        store = await FaultyStore.open(directory);
        return store;
      },
    });
    const stream = mintStreamId();
    await queue.append(incoming(['one\n'], { stream }));
    const before = queue.balance();
    if (store !== undefined) store.faultOf = () => 'fail';
    await expect(queue.append(incoming(['two\n'], { stream, start: 4 }))).rejects.toThrow(/commit failed/);
    expect(queue.balance()).toEqual(before);
    expect(queue.ledger.ranges(stream)).toEqual([{ start: 0, end: 4 }]);
    if (store !== undefined) store.faultOf = () => undefined;
    await queue.append(incoming(['two\n'], { stream, start: 4 }));
    expect(await readAll(queue)).toEqual(['one\n', 'two\n']);
  });
});

describe('a group that is written during the transaction of the previous one', () => {
  interface Faults {
    readonly commit?: 'fail';
    /** The number of the fdatasync that fails. */
    readonly datasync?: number;
    readonly overlapFromBytes?: number;
    /** An earlier batch is stored. */
    readonly isAfterAnother?: true;
  }

  /** Two batches of a stream: the first is flushed, and its transaction waits for `commit`. */
  async function twoGroups(faults: Faults = {}) {
    const disk = new SimulatedDisk();
    let flushed = 0;
    disk.faultOf = (operation) => {
      if (operation === 'datasync') flushed++;
      return operation === 'datasync' && flushed === faults.datasync ? { code: 'EIO' } : undefined;
    };
    let store: FaultyStore | undefined;
    const openStore = async (directory: string) => {
      store = await FaultyStore.open(directory);
      return store;
    };
    const options = { overlapFromBytes: faults.overlapFromBytes ?? 0 };
    const fixture = await queueFixture({ fileSystem: disk.mount().fileSystem, openStore, ...options });
    if (faults.isAfterAnother) await fixture.queue.append(incoming(['zero\n']));
    let release: () => void = () => {};
    if (store !== undefined) {
      store.mayCommit = new Promise((resolve) => {
        release = resolve;
      });
      const results = [faults.commit];
      store.faultOf = () => results.pop();
    }
    const stream = mintStreamId();
    const one = incoming(['one\n'], { stream });
    const two = incoming(['two\n'], { stream, start: 4 });
    return { ...fixture, disk, stream, one, two, commit: () => release(), flushed: () => flushed };
  }

  const turn = () => new Promise((resolve) => setImmediate(resolve));

  test('is flushed before that, and accepted after that', async () => {
    const { queue, stream, one, two, commit, flushed } = await twoGroups();
    const accepted: string[] = [];
    const first = queue.append(one).then(() => accepted.push('one'));
    await turn();
    const second = queue.append(two).then(() => accepted.push('two'));
    await expect.poll(flushed).toBe(2);
    expect(accepted).toEqual([]);
    expect(queue.ledger.ranges(stream)).toEqual([]);
    expect(queue.balance().accepted.records).toBe(0);
    commit();
    await Promise.all([first, second]);
    expect(accepted).toEqual(['one', 'two']);
    expect(queue.ledger.ranges(stream)).toEqual([{ start: 0, end: 8 }]);
    expect(await readAll(queue)).toEqual(['one\n', 'two\n']);
  });

  test('waits for that when it is small, and becomes larger', async () => {
    const { queue, one, two, commit, flushed } = await twoGroups({ overlapFromBytes: 1000 });
    const all = [queue.append(one)];
    await expect.poll(flushed).toBe(1);
    all.push(queue.append(two));
    await turn();
    all.push(queue.append(incoming(['three\n'])));
    commit();
    await Promise.all(all);
    expect(flushed()).toBe(2);
    expect(await readAll(queue)).toEqual(['one\n', 'two\n', 'three\n']);
  });

  test('is rejected and truncated with it when that fails', async () => {
    const { queue, stream, one, two, commit, flushed } = await twoGroups({ commit: 'fail' });
    const both = [queue.append(one)];
    await turn();
    both.push(queue.append(two));
    await expect.poll(flushed).toBe(2);
    commit();
    for (const result of await Promise.allSettled(both)) expect(result.status).toBe('rejected');
    expect(queue.ledger.ranges(stream)).toEqual([]);
    expect(queue.balance()).toMatchObject({ accepted: { records: 0 }, diskBytes: 0 });
    await Promise.all([queue.append(one), queue.append(two)]);
    expect(await readAll(queue)).toEqual(['one\n', 'two\n']);
  });

  test('is rejected alone when only its own flush fails', async () => {
    const { queue, stream, one, two, commit, flushed } = await twoGroups({ datasync: 2 });
    const first = queue.append(one);
    await turn();
    const second = queue.append(two);
    await expect.poll(flushed).toBe(2);
    commit();
    await first;
    await expect(second).rejects.toThrow(QueueError);
    expect(queue.ledger.ranges(stream)).toEqual([{ start: 0, end: 4 }]);
    await queue.append(two);
    expect(await readAll(queue)).toEqual(['one\n', 'two\n']);
  });

  test('does not use a segment again whose flush failed, although the transaction failed too', async () => {
    const { queue, disk, one, two, commit, flushed } = await twoGroups({
      commit: 'fail',
      datasync: 3,
      isAfterAnother: true,
    });
    const both = [queue.append(one)];
    await turn();
    both.push(queue.append(two));
    await expect.poll(flushed).toBe(3);
    commit();
    for (const result of await Promise.allSettled(both)) expect(result.status).toBe('rejected');
    const [segment = ''] = disk.paths();
    const flushedBytes = disk.contentOf(segment).length;
    await Promise.all([queue.append(one), queue.append(two)]);
    expect(disk.paths()).toHaveLength(2);
    expect(disk.contentOf(segment)).toHaveLength(flushedBytes);
    expect(await readAll(queue)).toEqual(['zero\n', 'one\n', 'two\n']);
  });

  test('stores a repetition of the previous group once', async () => {
    const { queue, one, two, commit, flushed } = await twoGroups();
    const all = [queue.append(one)];
    await turn();
    all.push(queue.append(one), queue.append(two));
    await expect.poll(flushed).toBe(2);
    commit();
    await Promise.all(all);
    expect(await readAll(queue)).toEqual(['one\n', 'two\n']);
  });

  test('rejects a repetition when the previous group fails', async () => {
    const { queue, stream, one, commit, flushed } = await twoGroups({ commit: 'fail' });
    const both = [queue.append(one)];
    await turn();
    both.push(queue.append(one));
    await expect.poll(flushed).toBe(1);
    commit();
    for (const result of await Promise.allSettled(both)) expect(result.status).toBe('rejected');
    expect(queue.ledger.ranges(stream)).toEqual([]);
  });

  test('counts the new streams of the previous group', async () => {
    const { reopen, one, commit, flushed } = await twoGroups();
    commit();
    const queue = await reopen({ streamsPerCollector: 1 });
    const writer = {
      owner: { collectorId: 'c', tlsSubject: undefined },
      instance: 1n,
      openedEnd: 0,
    };
    const other = incoming(['other\n']);
    const first = queue.append({ ...one, writer });
    await turn();
    await expect(queue.append({ ...other, writer })).rejects.toThrow(/1 streams, the limit/);
    await first;
    expect(flushed()).toBe(1);
  });
});

describe('the ledger', () => {
  const anna = { collectorId: 'anna', tlsSubject: undefined };

  test('returns the end of the last range and its check, also after a restart', async () => {
    const { queue, reopen } = await queueFixture();
    const first = incoming(['one\n']);
    const { stream } = first.batch;
    expect(queue.ledger.open(stream, anna)).toEqual({ kind: 'known', end: 0, check: undefined });
    await queue.append(first);
    const checksum = extendChecksum(emptyChecksum(0), first.batch.data);
    const known = { kind: 'known', end: 4, check: first.endCheck, checksum };
    expect(queue.ledger.open(stream, anna)).toEqual(known);
    expect((await reopen()).ledger.open(stream, anna)).toEqual(known);
  });

  test('a stream belongs to the collector that opened it first', async () => {
    const { queue, reopen } = await queueFixture();
    const batch = incoming(['one\n']);
    const { stream } = batch.batch;
    const withTls = { collectorId: 'anna', tlsSubject: 'CN=anna' };
    queue.ledger.open(stream, withTls);
    const foreign = { kind: 'refused', reason: 'the stream belongs to another collector' };
    expect(queue.ledger.open(stream, { collectorId: 'bert', tlsSubject: 'CN=anna' })).toEqual(foreign);
    expect(queue.ledger.open(stream, { collectorId: 'anna', tlsSubject: 'CN=eve' })).toEqual(foreign);
    expect(queue.ledger.open(stream, anna)).toEqual(foreign);
    await queue.append(batch);
    const { ledger } = await reopen();
    expect(ledger.open(stream, { collectorId: 'bert', tlsSubject: 'CN=anna' })).toEqual(foreign);
    expect(ledger.open(stream, anna)).toEqual(foreign);
    expect(ledger.open(stream, withTls)).toMatchObject({ kind: 'known', end: 4 });
  });

  test('ignores the reported end of a collector that does not own the stream', async () => {
    const { queue, clock } = await queueFixture();
    const eve = { collectorId: 'eve', tlsSubject: undefined };
    const batch = incoming(['one\n']);
    const { stream } = batch.batch;
    queue.ledger.open(stream, anna);
    expect(queue.ledger.finish(stream, 0, eve)).toBe(false);
    expect(queue.ledger.open(stream, eve)).toMatchObject({ kind: 'refused' });
    await queue.append(batch);
    expect(queue.ledger.finish(stream, 4, eve)).toBe(false);
    const cursor = await queue.openCursor('file', 'oldest');
    await cursor.commit({ point: { entry: 1, record: 1 } });
    await pass(clock, 40);
    expect(queue.ledger.ranges(stream)).toHaveLength(1);
  });

  test('rejects streams above the limit of a collector, also after a restart, but not those of others', async () => {
    const { queue, reopen } = await queueFixture({ streamsPerCollector: 3 });
    const from = (collectorId: string) => ({ owner: { ...anna, collectorId }, instance: 1n, openedEnd: 0 });
    const streams = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const batch = { ...incoming(['one\n']), writer: from('anna') };
        const stored = await queue.append(batch).then(
          () => true,
          () => false,
        );
        return { batch, stored };
      }),
    );
    expect(streams.filter(({ stored }) => stored)).toHaveLength(3);
    const refusal = { kind: 'refused', reason: expect.stringContaining('3 streams, the limit') };
    expect(queue.ledger.open(mintStreamId(), anna)).toEqual(refusal);
    const again = await reopen();
    expect(again.ledger.open(mintStreamId(), anna)).toEqual(refusal);
    // Existing streams continue.
    const known = streams.find(({ stored }) => stored)?.batch.batch.stream as StreamId;
    expect(again.ledger.open(known, anna)).toMatchObject({ kind: 'known', end: 4 });
    await again.append({ ...incoming(['two\n'], { stream: known, start: 4 }), writer: from('anna') });
    await again.append({ ...incoming(['one\n']), writer: from('bert') });
    expect(again.balance().accepted.records).toBe(5);
  });

  test('writes many reported ends in a few transactions', async () => {
    let writes = 0;
    const { queue } = await queueFixture({
      openStore: async (...parameters) => {
        const store = await openStateStore(...parameters);
        const write = store.write.bind(store);
        store.write = (change) => {
          writes++;
          return write(change);
        };
        return store;
      },
    });
    const batches = Array.from({ length: 500 }, () => incoming(['x']));
    await Promise.all(batches.map((batch) => queue.append(batch)));
    const before = writes;
    for (const { batch } of batches) queue.ledger.finish(batch.stream, 1, anna);
    await queue.close();
    expect(writes - before).toBeLessThan(10);
  });

  test('writes nothing and limits memory when very many streams are opened', async () => {
    const { queue, reopen } = await queueFixture();
    for (let i = 0; i < 140_000; i++) queue.ledger.open(mintStreamId(), anna);
    const { ledger } = await reopen();
    expect(ledger.open(mintStreamId(), anna)).toMatchObject({ end: 0 });
    expect(queue.balance().accepted.records).toBe(0);
  });

  test('removes a stream 30 running days after its end, not while it is queued, and keeps the totals', async () => {
    const { queue, clock, lines, reopen } = await queueFixture({ segmentBytes: 100 });
    const cursor = await queue.openCursor('file', 'oldest');
    const batch = incoming(['x'.repeat(200)]);
    const { stream } = batch.batch;
    await queue.append(batch);
    queue.ledger.finish(stream, 200, anna);
    await clock.advance(1000);
    clock.jumpWallClock(1000 * DAY_MS);
    await pass(clock, 29);
    expect(queue.ledger.ranges(stream)).toHaveLength(1);
    await pass(clock, 5);
    expect(queue.ledger.ranges(stream), 'it is still queued').toHaveLength(1);
    await queue.append(incoming(['next']));
    await cursor.commit({ point: { entry: 2, record: 0 } });
    await expect
      .poll(async () => {
        await pass(clock, 0.05);
        return queue.ledger.ranges(stream);
      })
      .toEqual([]);
    expect(lines.some(({ msg }) => msg.startsWith('Removed streams'))).toBe(true);
    expect(queue.balance().accepted).toEqual({ records: 2, bytes: 204 });
    expect((await reopen()).balance().accepted).toEqual({ records: 2, bytes: 204 });
  });
});

describe('a cursor', () => {
  test('of a new name begins at the oldest entry or after the newest, and keeps its position', async () => {
    const { queue, reopen } = await queueFixture();
    await queue.append(incoming(['one\n', 'two\n', 'three\n']));
    const oldest = await queue.openCursor('oldest', 'oldest');
    const now = await queue.openCursor('now', 'now');
    expect(oldest.committed).toEqual({ entry: 1, record: 0 });
    expect(now.committed).toEqual({ entry: 2, record: 0 });
    expect(await now.read(now.committed.entry)).toBeUndefined();
    await oldest.commit({ point: { entry: 1, record: 2 }, state: { at: 2 } });
    await expect(queue.openCursor('oldest', 'now')).resolves.toBe(oldest);
    const after = await reopen();
    const again = await after.openCursor('oldest', 'now');
    expect([again.committed, again.state]).toEqual([{ entry: 1, record: 2 }, { at: 2 }]);
    const byName = Object.fromEntries(after.balance().emitters.map((part) => [part.emitter, part]));
    expect(byName.oldest).toMatchObject({
      queued: { records: 1, bytes: 6 },
      delivered: { records: 2, bytes: 8 },
    });
    expect(byName.now).toMatchObject({
      before: { records: 3, bytes: 14 },
      delivered: { records: 0, bytes: 0 },
    });
  });

  test('waits for future entries', async () => {
    const { queue } = await queueFixture();
    const cursor = await queue.openCursor('file', 'oldest');
    const stopped = new AbortController();
    const aborted = cursor.waitFor(1, stopped.signal);
    stopped.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const waiting = cursor.waitFor(1, new AbortController().signal);
    await queue.append(incoming(['one\n']));
    await waiting;
    await cursor.waitFor(1, new AbortController().signal);
    await expect(cursor.waitFor(1, stopped.signal)).rejects.toThrow('enough');
  });

  test('reads from the disk when its entries are no longer in memory', async () => {
    const { queue } = await queueFixture();
    const big = (i: number) => incoming([String(i).repeat(1_000_000)]);
    for (let i = 0; i < 9; i++)
      await Promise.all([queue.append(big(i)), queue.append(big(i)), queue.append(big(i))]);
    const texts = await readAll(queue);
    expect(texts).toHaveLength(27);
    expect(texts.map((text) => Number(text[0]))).toEqual(
      Array.from({ length: 27 }, (_, i) => Math.floor(i / 3)),
    );
  });

  test('a commit after the last record of an entry moves to the next entry', async () => {
    const { queue } = await queueFixture();
    await queue.append(incoming(['one\n', 'two\n']));
    const cursor = await queue.openCursor('file', 'oldest');
    await cursor.commit({ point: { entry: 1, record: 2 } });
    expect(cursor.committed).toEqual({ entry: 2, record: 0 });
    await expect(cursor.commit({ point: { entry: 9, record: 0 } })).rejects.toThrow(/after the end/);
    await cursor.commit({ point: { entry: 1, record: 0 } });
    expect(cursor.committed, 'it never moves back').toEqual({ entry: 2, record: 0 });
  });

  test('removes segments that all cursors have passed, and none without a cursor', async () => {
    const { queue, directory } = await queueFixture({ segmentBytes: 100 });
    for (let i = 0; i < 5; i++) await queue.append(incoming([`${i}`.repeat(200)]));
    const segments = async () => (await readdir(join(directory, 'queue'))).length;
    expect(await segments()).toBe(5);
    const slow = await queue.openCursor('slow', 'oldest');
    const fast = await queue.openCursor('fast', 'oldest');
    await fast.commit({ point: { entry: 6, record: 0 } });
    await slow.commit({ point: { entry: 3, record: 0 } });
    await expect.poll(segments).toBe(3);
    expect(await readAll(queue, 'slow')).toHaveLength(3);
    const late = await queue.openCursor('late', 'oldest');
    expect(late.committed).toEqual({ entry: 3, record: 0 });
    expect(queue.balance().emitters.find(({ emitter }) => emitter === 'late')).toMatchObject({
      before: { records: 2, bytes: 400 },
      queued: { records: 3, bytes: 600 },
    });
    await slow.commit({ point: { entry: 6, record: 0 } });
    await late.commit({ point: { entry: 6, record: 0 } });
    await expect.poll(segments).toBe(0);
    await queue.append(incoming(['again']));
    expect((await slow.read(6))?.batch.sizes.length).toBe(1);
  });

  test('a removed emitter no longer keeps segments', async () => {
    const { queue, reopen } = await queueFixture({ segmentBytes: 100 });
    const gone = await queue.openCursor('gone', 'oldest');
    await queue.openCursor('here', 'oldest').then((here) => here.commit({ point: { entry: 1, record: 0 } }));
    const batch = recordBatch(['x'.repeat(200)]);
    await queue.append(incomingBatch(batch));
    await gone.commit({ point: { entry: 1, record: 1 }, deadLetters: [{ records: batch, reason: 'no' }] });
    await expect(queue.forgetEmitter('gone')).rejects.toThrow(/in use/);
    const after = await reopen();
    expect(after.knownEmitters().map(({ name }) => name)).toEqual(['gone', 'here']);
    expect(await after.forgetEmitter('gone')).toBe(true);
    expect(await after.forgetEmitter('gone')).toBe(false);
    expect(after.knownEmitters().map(({ name }) => name)).toEqual(['here']);
    expect(after.deadLetters.list()).toEqual([]);
  });
});

describe('a caller that waits for the delivery', () => {
  test('continues when the cursor of that emitter has passed all entries of the moment', async () => {
    const { queue } = await queueFixture();
    const cursor = await queue.openCursor('slow', 'oldest');
    const fast = await queue.openCursor('fast', 'oldest');
    await queue.append(incoming(['one\n']));
    await queue.append(incoming(['two\n', 'three\n']));
    let isDelivered = false;
    const waiting = queue.whenDelivered('slow').then(() => {
      isDelivered = true;
    });
    await queue.append(incoming(['four\n']));
    await fast.commit({ point: { entry: 4, record: 0 } });
    await cursor.commit({ point: { entry: 2, record: 1 } });
    await nextTurn();
    expect(isDelivered).toBe(false);
    await cursor.commit({ point: { entry: 2, record: 2 } });
    await waiting;
  });

  test('continues at once when nothing is queued', async () => {
    const { queue } = await queueFixture();
    await queue.openCursor('reader', 'oldest');
    await queue.whenDelivered('reader');
  });

  test('is rejected when the queue closes', async () => {
    const { queue } = await queueFixture();
    await queue.openCursor('reader', 'oldest');
    await queue.append(incoming(['one\n']));
    const waiting = expect(queue.whenDelivered('reader')).rejects.toThrow('The queue is closed');
    await queue.close();
    await waiting;
    await expect(queue.whenDelivered('reader')).rejects.toThrow('The queue is closed');
  });
});

describe('when the queue is full', () => {
  test('stop: reports it, lets appends wait, and continues when there is room', async () => {
    const { queue } = await queueFixture({ maxBytes: 4000, segmentBytes: 500 });
    const cursor = await queue.openCursor('file', 'oldest');
    const reasons: (string | undefined)[] = [];
    queue.onStopped((reason) => reasons.push(reason));
    for (let i = 0; queue.stopped === undefined && i < 100; i++) {
      await queue.append(incoming(['x'.repeat(300)]));
      await new Promise((resolve) => setImmediate(resolve));
      if (queue.fullness().fraction >= 1) break;
    }
    let answered = false;
    const waiting = queue.append(incoming(['late'])).then(() => {
      answered = true;
    });
    await expect.poll(() => queue.stopped).toMatch(/queue is full/);
    expect(queue.fullness()).toMatchObject({ maxBytes: 4000, furthestBehind: { emitter: 'file' } });
    expect(answered).toBe(false);
    const { entry } = cursor.committed;
    await cursor.commit({ point: { entry: entry + 4, record: 0 } });
    await waiting;
    expect(queue.stopped).toBeUndefined();
    expect(reasons.map((reason) => reason !== undefined)).toEqual([true, false]);
  });

  test('stop: a queue smaller than a segment continues when all is delivered', async () => {
    const { queue } = await queueFixture({ maxBytes: 2000, segmentBytes: 100_000 });
    const cursor = await queue.openCursor('file', 'oldest');
    await queue.append(incoming(['x'.repeat(3000)]));
    const waiting = queue.append(incoming(['late']));
    await expect.poll(() => queue.stopped).toBeDefined();
    await cursor.commit({ point: { entry: 2, record: 0 } });
    await waiting;
    expect((await cursor.read(2))?.batch.data.length).toBe(4);
  });

  test('drop-oldest: drops whole entries of the slowest emitter, and counts them in the balance', async () => {
    const { queue, lines } = await queueFixture({
      maxBytes: 6000,
      segmentBytes: 1000,
      whenFull: 'drop-oldest',
    });
    const slow = await queue.openCursor('slow', 'oldest');
    const fast = await queue.openCursor('fast', 'oldest');
    for (let i = 0; i < 40; i++) {
      await queue.append(incoming([`${i}`.padStart(400, 'x')]));
      await fast.commit({ point: { entry: i + 2, record: 0 } });
    }
    expect(queue.stopped).toBeUndefined();
    const byName = Object.fromEntries(queue.balance().emitters.map((part) => [part.emitter, part]));
    expect(byName.fast).toMatchObject({ discarded: { records: 0 }, delivered: { records: 40 } });
    const lost = byName.slow?.discarded.records ?? 0;
    expect(lost).toBeGreaterThan(20);
    expect(byName.slow).toMatchObject({ delivered: { records: 0 }, queued: { records: 40 - lost } });
    expect(slow.committed.entry).toBe(lost + 1);
    expect((await slow.read(1))?.number).toBe(lost + 1);
    expect(lines.some(({ level, emitter }) => level === 50 && emitter === 'slow')).toBe(true);
  });

  test('stops the intake when free space is low, while cursors still move', async () => {
    const disk = new SimulatedDisk();
    const { queue, clock } = await queueFixture({
      fileSystem: disk.mount().fileSystem,
      freeSpace: { reserveBytes: 1000, reserveFraction: 0 },
    });
    const cursor = await queue.openCursor('file', 'oldest');
    await queue.append(incoming(['one\n', 'two\n']));
    disk.availableBytes = 999;
    await clock.advance(1000);
    const waiting = queue.append(incoming(['three\n']));
    await expect.poll(() => queue.stopped).toMatch(/disk is nearly full/);
    await cursor.commit({ point: { entry: 1, record: 1 } });
    disk.availableBytes = 1000;
    await expect
      .poll(async () => {
        await clock.advance(1000);
        return queue.stopped;
      })
      .toBeUndefined();
    await waiting;
  });

  test('rejects waiting appends on close', async () => {
    const { queue } = await queueFixture({ maxBytes: 1000, segmentBytes: 500 });
    await queue.append(incoming(['x'.repeat(2000)]));
    const waiting = queue.append(incoming(['late']));
    await expect.poll(() => queue.stopped).toBeDefined();
    const rejected = expect(waiting).rejects.toThrow(QueueError);
    await queue.close();
    await rejected;
  });
});

describe('failing', () => {
  test('is the reason from a failed group until the disk accepts a write again, also without new records', async () => {
    const disk = new SimulatedDisk();
    const { queue, clock } = await queueFixture({ fileSystem: disk.mount().fileSystem });
    await queue.append(incoming(['one\n']));
    expect(queue.failing).toBeUndefined();
    disk.faultOf = (operation) => (operation === 'datasync' ? { code: 'EIO' } : undefined);
    await expect(queue.append(incoming(['two\n']))).rejects.toThrow(QueueError);
    expect(queue.failing).toContain('EIO');
    await clock.advance(10_000);
    expect(queue.failing).toContain('EIO');
    disk.faultOf = () => undefined;
    await expect
      .poll(async () => {
        await clock.advance(2_000);
        return queue.failing;
      })
      .toBeUndefined();
  });

  test('follows the commits of cursors, and ends with the next that succeeds', async () => {
    let store: FaultyStore | undefined;
    const { queue } = await queueFixture({
      openStore: async (directory, options) => {
        store = await FaultyStore.open(directory, options);
        return store;
      },
    });
    await queue.append(incoming(['one\n', 'two\n']));
    const cursor = await queue.openCursor('file', 'oldest');
    if (store !== undefined) store.faultOf = () => 'fail';
    await expect(cursor.commit({ point: { entry: 1, record: 1 } })).rejects.toThrow('commit failed');
    expect(queue.failing).toContain('commit failed');
    if (store !== undefined) store.faultOf = () => undefined;
    await cursor.commit({ point: { entry: 1, record: 1 } });
    expect(queue.failing).toBeUndefined();
  });
});

describe('what is damaged on disk', () => {
  async function withThree() {
    const fixture = await queueFixture({ segmentBytes: 100 });
    await fixture.queue.openCursor('file', 'oldest');
    await fixture.queue.openCursor('text', 'oldest');
    for (const letter of ['a', 'b', 'c']) await fixture.queue.append(incoming([letter.repeat(200), '\n']));
    await fixture.queue.close();
    const path = (segment: number) => join(fixture.directory, 'queue', `0000000${segment}.segment`);
    return { ...fixture, path };
  }

  test('a damaged entry stops its emitter until the entry is skipped', async () => {
    const { open, path, lines } = await withThree();
    const bytes = await readFile(path(2));
    bytes.write('?', 150);
    await writeFile(path(2), bytes);
    const queue = await open();
    const cursor = await queue.openCursor('file', 'oldest');
    expect((await cursor.read(1))?.number).toBe(1);
    await expect(cursor.read(2)).rejects.toThrow(CorruptQueueEntryError);
    await expect(cursor.read(2)).rejects.toMatchObject({
      path: path(2),
      entry: 2,
      amount: { records: 2, bytes: 201 },
    });
    await cursor.commit({ point: { entry: 2, record: 0 } });
    expect(await queue.skipCorruptEntry('text'), 'the entry of text is sound').toBeUndefined();
    expect(await queue.skipCorruptEntry('file')).toEqual({ records: 2, bytes: 201 });
    expect((await cursor.read(2))?.number).toBe(3);
    expect(queue.balance().emitters[0]).toMatchObject({
      discarded: { records: 2, bytes: 201 },
      delivered: { records: 2, bytes: 201 },
    });
    expect(lines.some(({ level, entry }) => level === 50 && entry === 2)).toBe(true);
    await queue.append(incoming(['still taking']));
  });

  test.each([
    ['missing', (path: string) => unlink(path)],
    ['too short', (path: string) => truncate(path, 100)],
  ])(
    'a file that is %s is reported at the start, and stops an emitter that reaches it',
    async (_, damage) => {
      const { open, path, lines } = await withThree();
      await damage(path(2));
      const queue = await open();
      expect(lines).toContainEqual(expect.objectContaining({ level: 50, path: path(2), entry: 2 }));
      const cursor = await queue.openCursor('file', 'oldest');
      expect((await cursor.read(1))?.number).toBe(1);
      await expect(cursor.read(2)).rejects.toThrow(CorruptQueueEntryError);
      await cursor.commit({ point: { entry: 2, record: 0 } });
      await queue.skipCorruptEntry('file');
      expect((await cursor.read(3))?.number).toBe(3);
    },
  );

  test.each([
    [
      'a cursor that points at a later entry',
      'cursor',
      'file',
      { entry: 3 },
      'the cursor of file does not fit entry 3',
    ],
    ['a cursor beyond the end', 'cursor', 'file', { entry: 9 }, 'the cursor of file does not fit entry 9'],
    [
      'totals that lack an entry',
      'totals',
      'totals',
      { accepted: { records: 4, bytes: 402 } },
      'entry 3 is not the last',
    ],
  ])('%s is detected at the start, also with a valid checksum', async (_, table, key, change, message) => {
    const { open, directory } = await withThree();
    const store = await openStateStore(join(directory, 'state'));
    const rows = store.table<Record<string, Json>>(table);
    await store.write(() => rows.put(key, { ...rows.get(key), ...change }));
    await store.close();
    await expect(open()).rejects.toThrow(message);
  });

  test('does not reuse the number of a lost last file', async () => {
    const { open, path } = await withThree();
    await unlink(path(3));
    const queue = await open();
    await queue.append(incoming(['d'.repeat(200), '\n']));
    const cursor = await queue.openCursor('file', 'oldest');
    await expect(cursor.read(3)).rejects.toThrow(CorruptQueueEntryError);
    expect((await cursor.read(4))?.batch.data[0]).toBe(100);
  });

  test('truncates uncommitted bytes after a crash', async () => {
    const { open, path, lines } = await withThree();
    await writeFile(path(3), 'garbage', { flag: 'a' });
    await writeFile(path(4), 'more garbage');
    const queue = await open();
    expect(await readAll(queue)).toHaveLength(3);
    expect(lines.some(({ bytes }) => bytes === 19)).toBe(true);
  });
});

const DAY_MS = 24 * 60 * 60 * 1000;

async function pass(clock: { advance(ms: number): Promise<void> }, days: number): Promise<void> {
  // Maintenance runs every ten minutes of this.
  for (let rest = days; rest > 0; rest -= 0.5) await clock.advance(Math.min(rest, 0.5) * DAY_MS);
}
