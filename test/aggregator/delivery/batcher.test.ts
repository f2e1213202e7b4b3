import { describe, expect, it } from 'vitest';
import { Batcher } from '../../../src/aggregator/delivery/batcher.ts';
import type { QueuedBatch } from '../../../src/aggregator/delivery/queued-batch.ts';
import { forEachRecord } from '../../../src/records/record-batch.ts';
import type { CursorPoint } from '../../../src/storage/queue/queue-contract.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { MemoryQueue } from '../../support/memory-queue.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';

const START: CursorPoint = { entry: 1, record: 0 };

function setUp({ maxRecords = 1000, publishFrequencyMs = 15_000, from = START } = {}) {
  const clock = new FakeClock();
  const queue = new MemoryQueue(clock);
  const cursor = queue.cursor('test');
  const batcher = new Batcher({ cursor, clock, from, maxRecords, publishFrequencyMs });
  return { clock, queue, cursor, batcher };
}

function textsOf(queued: QueuedBatch | undefined): string[] {
  const texts: string[] = [];
  for (const slice of queued?.batch.slices ?? []) {
    forEachRecord(slice, (bytes) => texts.push(Buffer.from(bytes).toString()));
  }
  return texts;
}

/** All batches that are available now. */
async function drain(batcher: Batcher): Promise<QueuedBatch[]> {
  const batches: QueuedBatch[] = [];
  for (;;) {
    const queued = await batcher.poll();
    if (queued === undefined) return batches;
    batches.push(queued);
  }
}

describe('Batcher: size', () => {
  it.each([
    [9, []],
    [10, [10]],
    [11, [10]],
    [20, [10, 10]],
    [21, [10, 10]],
  ])('makes of %i records full batches %j of 10', async (count, expected) => {
    const { batcher, queue } = setUp({ maxRecords: 10 });
    queue.append(recordBatch(lines(count)));
    expect((await drain(batcher)).map(({ batch }) => batch.recordCount)).toEqual(expected);
  });

  it('fills a batch from several entries, in order', async () => {
    const { batcher, queue } = setUp({ maxRecords: 5 });
    queue.append(recordBatch(['a1\n', 'a2\n', 'a3\n']));
    queue.append(recordBatch(['b1\n']));
    queue.append(recordBatch(['c1\n', 'c2\n', 'c3\n']));
    const queued = await batcher.poll();
    expect(textsOf(queued)).toEqual(['a1\n', 'a2\n', 'a3\n', 'b1\n', 'c1\n']);
    expect(queued?.begin).toEqual({ entry: 1, record: 0 });
    expect(queued?.positions).toEqual([
      { entry: 1, record: 0 },
      { entry: 2, record: 0 },
      { entry: 3, record: 0 },
    ]);
    expect(queued?.end).toEqual({ entry: 3, record: 1 });
  });

  it('cuts a large entry into slices without copying', async () => {
    const { batcher, queue } = setUp({ maxRecords: 1000 });
    const entry = recordBatch(lines(65_536));
    queue.append(entry);
    const batches = await drain(batcher);
    batcher.hurry();
    batches.push(...(await drain(batcher)));
    expect(batches).toHaveLength(66);
    expect(Buffer.concat(batches.flatMap(({ batch }) => batch.slices.map(({ data }) => data)))).toEqual(
      entry.data,
    );
    let start = 0;
    for (const { batch } of batches) {
      expect(batch.slices[0]?.start).toBe(start);
      expect(batch.slices[0]?.data.buffer).toBe(entry.data.buffer);
      start += batch.byteCount;
    }
  });

  it('reads the sizes of an entry once for any number of batches', async () => {
    const { batcher, queue } = setUp({ maxRecords: 100 });
    const entry = recordBatch(lines(20_000));
    let looks = 0;
    const counting = {
      get: (sizes: Uint32Array, key: string | symbol) => {
        if (key === 'subarray') return (from: number, to: number) => sizes.subarray(from, to);
        if (typeof key === 'string' && /^\d+$/.test(key)) looks++;
        return Reflect.get(sizes, key, sizes) as unknown;
      },
    };
    queue.append({ ...entry, sizes: new Proxy(entry.sizes, counting) });
    expect(await drain(batcher)).toHaveLength(200);
    expect(looks).toBeLessThanOrEqual(20_000);
  });
});

describe('Batcher: bytes', () => {
  const MIB = 1024 * 1024;
  const big = (size: number) => Buffer.alloc(size, 'x');

  it('closes a batch before the record that would exceed 4 MiB', async () => {
    const { batcher, queue } = setUp();
    for (let i = 0; i < 5; i++) queue.append(recordBatch([big(MIB - 1), big(MIB - 1)]));
    const first = await batcher.poll();
    expect(first?.batch.recordCount).toBe(4);
    expect(first?.end).toEqual({ entry: 3, record: 0 });
    const second = await batcher.poll();
    expect(second?.batch.byteCount).toBe(4 * (MIB - 1));
  });

  it('fills a batch with exactly 4 MiB', async () => {
    const { batcher, queue } = setUp();
    queue.append(recordBatch([big(MIB), big(MIB), big(MIB), big(MIB), Buffer.from('\n')].slice(0, 4)));
    queue.append(recordBatch(['\n']));
    const queued = await batcher.poll();
    expect(queued?.batch.byteCount).toBe(4 * MIB);
    expect(queued?.end).toEqual({ entry: 2, record: 0 });
  });

  it('cuts an entry at the byte limit', async () => {
    const { batcher, queue } = setUp({ maxRecords: 1_000_000 });
    queue.append(recordBatch([big(MIB)]));
    queue.append(recordBatch(Array.from({ length: 4 }, () => big(MIB - 10))));
    const queued = await batcher.poll();
    expect(queued?.batch.recordCount).toBe(4);
    expect(queued?.end).toEqual({ entry: 2, record: 3 });
  });

  it('reads ahead no more than 4 MiB and one entry', async () => {
    const { batcher, queue, clock, cursor } = setUp({ maxRecords: 1 });
    for (let i = 0; i < 20; i++) queue.append(recordBatch([big(MIB)]));
    await batcher.poll();
    await clock.advance(0);
    expect(cursor.reads).toBeGreaterThan(2);
    expect(cursor.reads).toBeLessThanOrEqual(6);
  });
});

describe('Batcher: time', () => {
  it('closes a batch when its first record has waited for the publish frequency', async () => {
    const { batcher, queue, clock } = setUp({ publishFrequencyMs: 15_000 });
    queue.append(recordBatch(['a\n']));
    expect(await batcher.poll()).toBeUndefined();
    await clock.advance(10_000);
    queue.append(recordBatch(['b\n']));
    expect(await batcher.poll()).toBeUndefined();
    await clock.advance(4_999);
    expect(await batcher.poll()).toBeUndefined();
    await clock.advance(1);
    expect(textsOf(await batcher.poll())).toEqual(['a\n', 'b\n']);
    expect(await batcher.poll()).toBeUndefined();
  });

  it('reads everything queued before it checks the time', async () => {
    const { batcher, queue, clock } = setUp({ maxRecords: 3, publishFrequencyMs: 1000 });
    queue.append(recordBatch(['a\n']));
    expect(await batcher.poll()).toBeUndefined();
    await clock.advance(5000);
    queue.append(recordBatch(['b\n']));
    queue.append(recordBatch(['c\n', 'd\n']));
    expect(textsOf(await batcher.poll())).toEqual(['a\n', 'b\n', 'c\n']);
  });

  it('measures the wait from acceptance, not from reading', async () => {
    const { batcher, queue, clock } = setUp({ publishFrequencyMs: 15_000 });
    queue.append(recordBatch(['old\n']));
    await clock.advance(14_000);
    expect(await batcher.poll()).toBeUndefined();
    await clock.advance(999);
    expect(await batcher.poll()).toBeUndefined();
    await clock.advance(1);
    expect(textsOf(await batcher.poll())).toEqual(['old\n']);
  });

  it('waits at most the publish frequency when the wall clock was set back', async () => {
    const { batcher, queue, clock } = setUp({ publishFrequencyMs: 15_000 });
    queue.append(recordBatch(['a\n']));
    clock.jumpWallClock(-3_600_000);
    expect(await batcher.poll()).toBeUndefined();
    await clock.advance(15_000);
    expect(textsOf(await batcher.poll())).toEqual(['a\n']);
  });

  it('ends a wait when a record arrives, when the open batch is due, or at an interrupt', async () => {
    const { batcher, queue, clock } = setUp({ publishFrequencyMs: 1000 });
    let woken = 0;
    const wait = () =>
      void batcher.wait().then(() => {
        woken++;
      });
    wait();
    await clock.advance(60_000);
    expect(woken).toBe(0);
    queue.append(recordBatch(['a\n']));
    await clock.advance(0);
    expect(woken).toBe(1);

    expect(await batcher.poll()).toBeUndefined();
    wait();
    await clock.advance(999);
    expect(woken).toBe(1);
    await clock.advance(1);
    expect(woken).toBe(2);

    await batcher.poll();
    batcher.interrupt();
    wait();
    await clock.advance(0);
    expect(woken).toBe(3);
    expect(clock.waiting).toBe(0);
  });
});

describe('Batcher: reading ahead', () => {
  /** A read returns the entries that existed when it started, once the gate opens. */
  function slowly({ cursor, queue }: ReturnType<typeof setUp>) {
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    cursor.read = async (entry) => {
      const found = queue.first(entry);
      await gate;
      return found;
    };
    return open;
  }

  it('ignores an empty result of a read that started before the newest entry', async () => {
    const around = setUp({ maxRecords: 2 });
    around.queue.append(recordBatch(lines(2, 'a')));
    const open = slowly(around);
    const first = around.batcher.poll();
    open();
    expect(textsOf(await first)).toEqual(['a 0\n', 'a 1\n']);
    around.queue.append(recordBatch(lines(2, 'b')));
    expect(textsOf(await around.batcher.poll())).toEqual(['b 0\n', 'b 1\n']);
  });

  it('discards a pending read after a seek', async () => {
    const { batcher, queue, cursor, clock } = setUp({ maxRecords: 2 });
    queue.append(recordBatch(lines(2, 'a')));
    queue.append(recordBatch(lines(2, 'b')));
    await batcher.poll();
    // The batcher is reading the second entry now.
    expect(cursor.reads).toBe(2);
    batcher.seek({ entry: 1, record: 0 });
    await clock.advance(0);
    expect((await drain(batcher)).flatMap(textsOf)).toEqual(['a 0\n', 'a 1\n', 'b 0\n', 'b 1\n']);
  });
});

describe('Batcher: positions', () => {
  it('begins in the middle of an entry', async () => {
    const { batcher, queue } = setUp({ maxRecords: 2, from: { entry: 1, record: 3 } });
    queue.append(recordBatch(lines(6)));
    const queued = await batcher.poll();
    expect(textsOf(queued)).toEqual(['line 3\n', 'line 4\n']);
    expect(queued?.begin).toEqual({ entry: 1, record: 3 });
  });

  it('treats a point after the last record as the beginning of the next entry', async () => {
    const { batcher, queue } = setUp({ maxRecords: 1, from: { entry: 1, record: 6 } });
    queue.append(recordBatch(lines(6)));
    expect(await batcher.poll()).toBeUndefined();
    queue.append(recordBatch(['next\n']));
    expect(textsOf(await batcher.poll())).toEqual(['next\n']);
  });

  it('seeks backward and forward', async () => {
    const { batcher, queue } = setUp({ maxRecords: 4 });
    queue.append(recordBatch(lines(10, 'a')));
    queue.append(recordBatch(lines(10, 'b')));
    await drain(batcher);
    batcher.seek({ entry: 1, record: 7 });
    expect(textsOf(await batcher.poll())).toEqual(['a 7\n', 'a 8\n', 'a 9\n', 'b 0\n']);
    batcher.seek({ entry: 2, record: 6 });
    expect(textsOf(await batcher.poll())).toEqual(['b 6\n', 'b 7\n', 'b 8\n', 'b 9\n']);
  });

  it('continues at the first remaining entry when the wanted one was dropped', async () => {
    const { batcher, queue } = setUp({ maxRecords: 2, from: { entry: 1, record: 3 } });
    queue.append(recordBatch(lines(6, 'a')));
    queue.append(recordBatch(lines(2, 'b')));
    queue.dropBefore('test', 2);
    expect(textsOf(await batcher.poll())).toEqual(['b 0\n', 'b 1\n']);
  });

  it('loses no record when a read fails', async () => {
    const { batcher, queue } = setUp({ maxRecords: 2 });
    queue.append(recordBatch(lines(3)));
    queue.append(recordBatch(lines(1, 'b')));
    let faults = 0;
    queue.readFault = () => (faults++ % 2 === 0 ? 'disk' : undefined);
    const texts: string[] = [];
    for (let i = 0; i < 10; i++) texts.push(...textsOf(await batcher.poll().catch(() => undefined)));
    expect(texts).toEqual(['line 0\n', 'line 1\n', 'line 2\n', 'b 0\n']);
  });

  it('closes the batch before an entry that cannot be read', async () => {
    const { batcher, queue, cursor } = setUp();
    queue.append(recordBatch(lines(3)));
    queue.append(recordBatch(lines(1, 'damaged')));
    const read = cursor.read.bind(cursor);
    cursor.read = async (entry) => {
      if (entry === 2) throw new Error('damaged');
      return await read(entry);
    };
    expect(await batcher.poll()).toMatchObject({ end: { entry: 2, record: 0 } });
    await expect(batcher.poll()).rejects.toThrow('damaged');
  });
});
