import { describe, expect, it } from 'vitest';
import { DELIVERED, rejected, retry } from '../../../src/emitters/outcome.ts';
import { ChainBench, ten } from './chain-bench.ts';

describe('delivery', () => {
  it('flushes and commits full batches together when the queue is empty', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b')]);
    bench.append(ten('c'));
    const chain = await bench.started();
    expect(bench.emitter.emits).toHaveLength(3);
    expect(bench.emitter.flushes).toBe(1);
    expect(bench.cursor.commits).toHaveLength(1);
    expect(bench.cursor.committed).toEqual({ entry: 3, record: 0 });
    expect(bench.cursor.state).toEqual({ count: 30 });
    expect(bench.emitter.commits).toBe(1);
    expect(bench.emitter.delivered).toEqual([...ten('a'), ...ten('b'), ...ten('c')]);
    expect(chain.status()).toMatchObject({ state: 'idle', oldestUndeliveredAgeMs: 0, failures: 0 });
    expect(await bench.metric('aggregator_emitter_records_total')).toBe(30);
    expect(await bench.metric('aggregator_emitter_batches_total')).toBe(3);
    expect(bench.notifier.triggers).toEqual([]);
  });

  it('does nothing for an hour without records', async () => {
    const bench = new ChainBench();
    await bench.started();
    await bench.clock.advance(3_600_000);
    expect(bench.emitter.emits).toEqual([]);
    expect(bench.emitter.flushes).toBe(0);
    expect(bench.cursor.commits).toEqual([]);
    expect(bench.logs.lines).toEqual([]);
  });

  it('emits a partial batch 15 s after its first record was accepted', async () => {
    const bench = new ChainBench();
    const chain = await bench.started();
    bench.append(['a\n']);
    await bench.clock.advance(10_000);
    bench.append(['b\n']);
    await bench.clock.advance(4999);
    expect(bench.emitter.emits).toEqual([]);
    expect(chain.status().oldestUndeliveredAgeMs).toBe(14_999);
    await bench.clock.advance(1);
    expect(bench.emitter.emits).toEqual([['a\n', 'b\n']]);
    expect(bench.cursor.committed).toEqual({ entry: 3, record: 0 });
  });

  it('commits every 100 ms while data flows', async () => {
    const bench = new ChainBench();
    bench.emitter.onEmit = async () => {
      await bench.clock.sleep(30);
      return DELIVERED;
    };
    for (let i = 0; i < 12; i++) bench.append(ten(`${i}-`));
    await bench.started();
    await bench.clock.advance(12 * 30);
    expect(bench.emitter.emits).toHaveLength(12);
    // The 100 ms begin when the first batch of a group is delivered: at most four more batches follow.
    expect(bench.cursor.commits.map(({ point }) => point.entry)).toEqual([6, 11, 13]);
  });

  it('commits every 8 MiB while data flows', async () => {
    const bench = new ChainBench({ maxRecords: 1 });
    for (let i = 0; i < 20; i++) bench.append([`${'x'.repeat(1024 * 1024 - 1)}\n`]);
    await bench.started();
    expect(bench.cursor.commits.map(({ point }) => point.entry)).toEqual([9, 17, 21]);
  });

  it('emits the next group during a commit', async () => {
    const bench = new ChainBench();
    const commit = bench.cursor.commit.bind(bench.cursor);
    bench.cursor.commit = async (change) => {
      await bench.clock.sleep(1000);
      await commit(change);
    };
    bench.emitter.onEmit = async () => {
      await bench.clock.sleep(50);
      return DELIVERED;
    };
    for (let i = 0; i < 6; i++) bench.append(ten(`${i}-`));
    await bench.started();
    await bench.clock.advance(900);
    expect(bench.cursor.commits).toEqual([]);
    expect(bench.emitter.emits).toHaveLength(6);
    expect(bench.emitter.flushes).toBe(1);
    await bench.clock.advance(2000);
    expect(bench.emitter.flushes).toBe(2);
    expect(bench.cursor.committed).toEqual({ entry: 7, record: 0 });
  });

  it('starts at the cursor', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b')]);
    bench.cursor.committed = { entry: 1, record: 10 };
    await bench.started();
    expect(bench.emitter.delivered).toEqual(ten('b'));
  });

  it('fails to start when the configuration of the emitter is invalid', async () => {
    const bench = new ChainBench();
    bench.emitter.onStart = () => {
      throw new Error('no such directory');
    };
    await expect(bench.chain().start()).rejects.toThrow('no such directory');
  });

  it('emits flushed but uncommitted records again after a crash', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    bench.queue.commitFault = () => 'killed right here';
    await bench.started();
    expect(bench.emitter.delivered).toEqual(ten('a'));
    bench.queue.commitFault = undefined;
    bench.emitter.crash();
    await bench.started();
    expect(bench.emitter.delivered).toEqual([...ten('a'), ...ten('a')]);
  });

  it('skips records that the queue dropped while it was holding', async () => {
    const bench = new ChainBench();
    for (const name of ['a', 'b', 'c']) bench.append(ten(name));
    let isDown = true;
    bench.emitter.onEmit = () => (isDown ? retry('down') : DELIVERED);
    await bench.started();
    await bench.clock.advance(60_000);
    bench.queue.dropBefore('test', 3);
    isDown = false;
    await bench.clock.advance(300_000);
    expect(bench.emitter.delivered).toEqual(ten('c'));
    expect(bench.cursor.committed).toEqual({ entry: 4, record: 0 });
    expect(bench.cursor.discarded.records).toBe(20);
  });

  it('counts records once that were rejected and then dropped', async () => {
    const bench = new ChainBench();
    for (const name of ['a', 'b', 'c']) bench.append(ten(name));
    bench.emitter.onEmit = (texts) => {
      if (!texts.includes('a3\n')) return DELIVERED;
      bench.queue.dropBefore('test', 2);
      return rejected('odd', [3]);
    };
    await bench.started();
    expect(bench.deadLetters).toEqual([]);
    expect(bench.emitter.delivered).toEqual([...ten('b'), ...ten('c')]);
    expect(bench.cursor.discarded.records).toBe(10);
  });

  it('commits no dead letter for records that were dropped before the commit', async () => {
    const bench = new ChainBench();
    for (const name of ['a', 'b']) bench.append(ten(name));
    bench.emitter.onEmit = (texts) => {
      if (texts.includes('a3\n')) return rejected('odd', [3]);
      if (texts.includes('b0\n')) bench.queue.dropBefore('test', 2);
      return DELIVERED;
    };
    await bench.started();
    expect(bench.deadLetters).toEqual([]);
    expect(bench.cursor.discarded.records).toBe(10);
    expect(bench.cursor.committed).toEqual({ entry: 3, record: 0 });
  });

  it('does not emit records that were dropped during the flush before them', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    bench.append(['b\n']);
    bench.emitter.onFlush = () => {
      if (bench.queue.lastEntry === 2) bench.queue.dropBefore('test', 3);
      return DELIVERED;
    };
    await bench.started();
    bench.append(ten('c'));
    await bench.clock.advance(60_000);
    expect(bench.emitter.delivered).toEqual([...ten('a'), ...ten('c')]);
  });

  it('does not return the memory of records in progress when they were dropped before a commit is repeated', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    let fails = true;
    bench.queue.commitFault = () => (fails ? 'the disk is full' : undefined);
    await bench.started();
    bench.append(ten('b'));
    await bench.clock.advance(0);
    bench.queue.dropBefore('test', 3);
    fails = false;
    await bench.clock.advance(60_000);
    expect(bench.cursor.commits[0]).toMatchObject({ point: { entry: 3, record: 0 }, unusedBefore: 2 });
  });

  it('reopens the emitter between batches', async () => {
    const bench = new ChainBench();
    const chain = await bench.started();
    chain.reopen();
    await bench.clock.advance(0);
    expect(bench.emitter.reopened).toBe(1);
  });
});

describe('delivery: commits that fail', () => {
  it('retries, pages, and does not repeat flushed records', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    let isFull = true;
    bench.queue.commitFault = () => (isFull ? 'disk full' : undefined);
    const chain = await bench.started();
    await bench.clock.advance(60_000);
    expect(bench.notifier.open).toContain('test/delivery');
    expect(bench.notifier.triggers[0]?.details.reason).toContain('disk full');
    expect(chain.status()).toMatchObject({ state: 'holding', reason: 'disk full' });

    bench.append(ten('b'));
    isFull = false;
    await bench.clock.advance(300_000);
    expect(bench.emitter.delivered).toEqual([...ten('a'), ...ten('b')]);
    expect(bench.cursor.committed).toEqual({ entry: 3, record: 0 });
    expect(bench.notifier.open.size).toBe(0);
    expect(chain.status().state).toBe('idle');
  });

  it('stops retrying at the deadline', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    bench.queue.commitFault = () => 'disk full';
    const chain = await bench.started();
    const deadline = new AbortController();
    const stopping = bench.stop(chain, deadline);
    deadline.abort();
    await stopping;
    expect(bench.cursor.committed).toEqual({ entry: 1, record: 0 });
    expect(bench.emitter.isStopped).toBe(true);
  });
});

describe('delivery: a queue that cannot be read', () => {
  it('holds, pages and continues when the queue is readable again', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    let isBroken = true;
    bench.queue.readFault = () => (isBroken ? 'entry 1 is damaged' : undefined);
    const chain = await bench.started();
    expect(chain.status()).toMatchObject({ state: 'holding' });
    expect(chain.status().reason).toContain('entry 1 is damaged');
    isBroken = false;
    await bench.clock.advance(60_000);
    expect(bench.emitter.delivered).toEqual(ten('a'));
    expect(bench.notifier.resolves).toEqual(['test/delivery']);
  });
});
