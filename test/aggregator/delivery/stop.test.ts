import { describe, expect, it } from 'vitest';
import { DELIVERED, retry } from '../../../src/emitters/outcome.ts';
import { ChainBench, ten } from './chain-bench.ts';

describe('delivery: stop', () => {
  it('can be called before the start and twice', async () => {
    const bench = new ChainBench();
    const chain = bench.chain();
    await bench.stop(chain);
    await bench.stop(chain);
    expect(bench.emitter.isStopped).toBe(true);
    expect(chain.status().state).toBe('stopped');
  });

  it('emits a partial batch at once', async () => {
    const bench = new ChainBench();
    const chain = await bench.started();
    bench.append(['a\n', 'b\n']);
    await bench.clock.advance(0);
    await bench.stop(chain);
    expect(bench.emitter.delivered).toEqual(['a\n', 'b\n']);
    expect(bench.cursor.committed).toEqual({ entry: 2, record: 0 });
    expect(bench.emitter.isStopped).toBe(true);
    expect(bench.clock.waiting).toBe(0);
  });

  it('delivers all queued records', async () => {
    const bench = new ChainBench();
    bench.emitter.onEmit = async () => {
      await bench.clock.sleep(20);
      return DELIVERED;
    };
    const chain = await bench.started();
    for (let i = 0; i < 20; i++) bench.append(ten(`${i}-`));
    bench.append(['last\n']);
    await bench.stop(chain);
    expect(bench.emitter.delivered).toHaveLength(201);
    expect(bench.cursor.committed).toEqual({ entry: 22, record: 0 });
  });

  it('commits emitted records at the deadline, and leaves the rest in the queue', async () => {
    const bench = new ChainBench();
    bench.emitter.onEmit = async (_, signal) => {
      await bench.clock.sleep(40, signal);
      return DELIVERED;
    };
    const chain = await bench.started();
    for (let i = 0; i < 20; i++) bench.append(ten(`${i}-`));
    await bench.clock.advance(0);
    const deadline = new AbortController();
    const stopping = chain.stop(deadline.signal);
    await bench.clock.advance(60);
    deadline.abort();
    await bench.clock.advance(0);
    await stopping;
    expect(bench.emitter.delivered).toEqual(ten('0-'));
    expect(bench.cursor.committed).toEqual({ entry: 2, record: 0 });
  });

  it('flushes and commits a batch that was delivered exactly at the deadline', async () => {
    const bench = new ChainBench();
    bench.emitter.onEmit = async () => {
      await bench.clock.sleep(40);
      return DELIVERED;
    };
    const chain = await bench.started();
    bench.append([...ten('a'), ...ten('b')]);
    await bench.clock.advance(0);
    const deadline = new AbortController();
    const stopping = chain.stop(deadline.signal);
    deadline.abort();
    await bench.clock.advance(100);
    await stopping;
    expect(bench.emitter.delivered).toEqual(ten('a'));
    expect(bench.cursor.committed).toEqual({ entry: 1, record: 10 });
  });

  it('makes one more attempt during a retry delay, then leaves the batch in the queue', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    bench.emitter.onEmit = () => retry('down');
    const chain = await bench.started();
    await bench.stop(chain);
    expect(bench.emitter.emits).toHaveLength(2);
    expect(bench.cursor.committed).toEqual({ entry: 1, record: 0 });
  });

  it('makes no further attempt when the destination requested a delay', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    bench.emitter.onEmit = () => retry('429', 60_000);
    const chain = await bench.started();
    await bench.stop(chain);
    expect(bench.emitter.emits).toHaveLength(1);
  });

  it('delivers on stop when the destination has recovered', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    bench.emitter.onEmit = () => (bench.emitter.emits.length === 1 ? retry('down') : DELIVERED);
    const chain = await bench.started();
    await bench.stop(chain);
    expect(bench.emitter.delivered).toEqual(ten('a'));
  });

  it('does not wait for an emitter that never responds', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    let isAborted = false;
    bench.emitter.onEmit = (_, signal) => {
      signal.addEventListener('abort', () => {
        isAborted = true;
      });
      return new Promise(() => undefined);
    };
    const chain = await bench.started();
    const deadline = new AbortController();
    const stopping = chain.stop(deadline.signal);
    await bench.clock.advance(9000);
    expect(isAborted).toBe(false);
    deadline.abort();
    await bench.clock.advance(1000);
    await stopping;
    expect(isAborted).toBe(true);
    expect(bench.emitter.isStopped).toBe(true);
    expect(bench.cursor.committed).toEqual({ entry: 1, record: 0 });
  });
});
