import { describe, expect, it } from 'vitest';
import { DELIVERED, type Outcome, retry } from '../../../src/emitters/outcome.ts';
import { ChainBench, ten } from './chain-bench.ts';

/** Time of each `emit`, in milliseconds from the start. */
function timesOf(bench: ChainBench, outcome: () => Outcome): number[] {
  const times: number[] = [];
  bench.emitter.onEmit = () => {
    times.push(Math.round(bench.clock.monotonicMs()));
    return outcome();
  };
  return times;
}

describe('delivery: retries', () => {
  it('doubles the maximum delay from 5 s up to five minutes', async () => {
    const bench = new ChainBench();
    const times = timesOf(bench, () => retry('refused'));
    bench.append(ten('a'));
    await bench.started();
    await bench.clock.advance(1_300_000);
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits.map((ms) => Math.round(ms / 1000))).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it('can retry at once, because the jitter is full', async () => {
    const bench = new ChainBench();
    bench.random = () => 0;
    const times = timesOf(bench, () => (times.length < 4 ? retry('refused') : DELIVERED));
    bench.append(ten('a'));
    await bench.started();
    expect(times).toEqual([0, 0, 0, 0]);
  });

  it('never retries before the time that the destination requested', async () => {
    const bench = new ChainBench();
    bench.random = () => 0;
    const times = timesOf(bench, () => (times.length < 2 ? retry('slow down', 90_000) : DELIVERED));
    bench.append(ten('a'));
    await bench.started();
    await bench.clock.advance(200_000);
    expect(times).toEqual([0, 90_000]);
  });

  it('commits earlier batches before it waits', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b')]);
    bench.emitter.onEmit = (texts) => (texts.includes('b0\n') ? retry('refused') : DELIVERED);
    const chain = await bench.started();
    expect(bench.emitter.delivered).toEqual(ten('a'));
    expect(bench.cursor.committed).toEqual({ entry: 1, record: 10 });
    expect(chain.status()).toMatchObject({ state: 'retrying', reason: 'refused', failures: 1 });
  });

  it('keeps the order while a batch waits for its retry', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b'), ...ten('c')]);
    let failures = 0;
    bench.emitter.onEmit = (texts) => (texts.includes('b0\n') && failures++ < 2 ? retry('no') : DELIVERED);
    await bench.started();
    await bench.clock.advance(60_000);
    expect(bench.emitter.delivered).toEqual([...ten('a'), ...ten('b'), ...ten('c')]);
    expect(await bench.metric('aggregator_emitter_retries_total')).toBe(2);
  });

  it('treats a throw as a retry and logs it', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    let calls = 0;
    bench.emitter.onEmit = () => {
      if (calls++ === 0) throw new TypeError('x is undefined');
      return DELIVERED;
    };
    await bench.started();
    await bench.clock.advance(10_000);
    expect(bench.emitter.delivered).toEqual(ten('a'));
    expect(bench.logs.lines.filter(({ level }) => level === 50)).toHaveLength(1);
  });

  it('treats a synchronous throw as a retry', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    const emit = bench.emitter.emit.bind(bench.emitter);
    bench.emitter.emit = () => {
      bench.emitter.emit = emit;
      throw new Error('at once');
    };
    await bench.started();
    await bench.clock.advance(10_000);
    expect(bench.emitter.delivered).toEqual(ten('a'));
  });
});

describe('delivery: after the last retry', () => {
  it('hold: pages after three failures, keeps trying, and resolves the page', async () => {
    const bench = new ChainBench({ afterRetries: 'hold' });
    let isDown = true;
    bench.emitter.onEmit = () => (isDown ? retry('connection refused') : DELIVERED);
    bench.append(ten('a'));
    const chain = await bench.started();
    await bench.clock.advance(14_000);
    expect(bench.notifier.triggers).toEqual([]);
    await bench.clock.advance(2000);
    expect(bench.notifier.triggers).toEqual([
      {
        incident: 'test/delivery',
        details: {
          reason: 'connection refused',
          sinceUnixNano: 1_700_000_000_000_000_000n,
          attempts: 3,
          records: 10,
          bytes: 30,
          batchId: '1/0',
        },
      },
    ]);
    expect(chain.status()).toMatchObject({ state: 'holding', failures: 3 });
    expect(await bench.metric('aggregator_emitter_holding')).toBe(1);
    await bench.clock.advance(1_000_000);
    const attempts = bench.notifier.triggers.reduce((sum, { details }) => sum + details.attempts, 0);
    expect(attempts).toBe(bench.emitter.emits.length);
    expect(bench.notifier.triggers.reduce((sum, { details }) => sum + details.records, 0)).toBe(10);

    isDown = false;
    await bench.clock.advance(300_000);
    expect(bench.emitter.delivered).toEqual(ten('a'));
    expect(bench.notifier.resolves).toEqual(['test/delivery']);
    expect(chain.status()).toMatchObject({ state: 'idle', failures: 0 });
    expect(await bench.metric('aggregator_emitter_holding')).toBe(0);
  });

  it('dead-letter: stores the batch as dead letters and continues', async () => {
    const bench = new ChainBench({ afterRetries: 'dead-letter' });
    bench.append([...ten('a'), ...ten('b')]);
    bench.emitter.onEmit = (texts) => (texts.includes('a0\n') ? retry('500') : DELIVERED);
    await bench.started();
    await bench.clock.advance(16_000);
    expect(bench.emitter.delivered).toEqual(ten('b'));
    expect(bench.deadLetters).toEqual(['500 (10)']);
    expect(bench.cursor.committed).toEqual({ entry: 2, record: 0 });
    expect(bench.notifier.open).toEqual(new Set(['test/dead-letters']));
    expect(bench.queue.balance('test')).toMatchObject({
      delivered: { records: 10 },
      deadLettered: { records: 10 },
      queued: { records: 0 },
    });
  });

  it('dead-letter: holds when the dead letter store is full', async () => {
    const bench = new ChainBench({ afterRetries: 'dead-letter' }, 20);
    bench.append(ten('a'));
    bench.emitter.onEmit = () => retry('500');
    const chain = await bench.started();
    await bench.clock.advance(100_000);
    expect(bench.deadLetters).toEqual([]);
    expect(chain.status().state).toBe('holding');
  });

  it('dead-letter: stops holding when the batch fits into the dead letter store', async () => {
    const bench = new ChainBench({ afterRetries: 'dead-letter' });
    bench.append(ten('a'));
    bench.emitter.onEmit = () => retry('500');
    let isFull = true;
    bench.queue.deadLetters.full = () => isFull;
    const chain = await bench.started();
    await bench.clock.advance(100_000);
    expect(await bench.metric('aggregator_emitter_holding')).toBe(1);
    isFull = false;
    await bench.clock.advance(300_000);
    expect(bench.deadLetters).toEqual(['500 (10)']);
    expect(chain.status()).toMatchObject({ state: 'idle', failures: 0 });
    expect(await bench.metric('aggregator_emitter_holding')).toBe(0);
  });

  it('discard: discards the batch, and counts it', async () => {
    const bench = new ChainBench({ afterRetries: 'discard' });
    bench.append([...ten('a'), ...ten('b')]);
    bench.emitter.onEmit = (texts) => (texts.includes('a0\n') ? retry('500') : DELIVERED);
    await bench.started();
    await bench.clock.advance(16_000);
    expect(bench.emitter.delivered).toEqual(ten('b'));
    expect(bench.cursor.discarded).toEqual({ records: 10, bytes: 30 });
    expect(await bench.metric('aggregator_emitter_discarded_records_total')).toBe(10);
    expect(bench.notifier.triggers).toHaveLength(1);
    expect(bench.logs.lines).toContainEqual(
      expect.objectContaining({ level: 50, batchId: '1/0', records: 10, bytes: 30, reason: '500' }),
    );
  });

  it('discard: discards one batch after another while the destination is down', async () => {
    const bench = new ChainBench({ afterRetries: 'discard' });
    for (let i = 0; i < 3; i++) bench.append(ten(`${i}-`));
    bench.emitter.onEmit = () => retry('down');
    await bench.started();
    await bench.clock.advance(60_000);
    expect(bench.cursor.discarded.records).toBe(30);
    expect(bench.emitter.emits).toHaveLength(9);
    expect(bench.notifier.triggers.map(({ details }) => [details.attempts, details.records])).toEqual([
      [3, 10],
      [3, 10],
      [3, 10],
    ]);
  });
});

describe('delivery: rollbacks and failed flushes', () => {
  it('rewinds to the last flush when an emit rolls back the group', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b'), ...ten('c')]);
    let failures = 0;
    bench.emitter.onEmit = (texts) =>
      texts.includes('c0\n') && failures++ < 2 ? { ...retry('rolled back'), rolledBack: true } : DELIVERED;
    await bench.started();
    await bench.clock.advance(60_000);
    expect(bench.emitter.delivered).toEqual([...ten('a'), ...ten('b'), ...ten('c')]);
    // Isolating: a and b are flushed separately, and the second failure rolls back nothing.
    expect(bench.emitter.emits.map(([first]) => first)).toEqual([
      'a0\n',
      'b0\n',
      'c0\n',
      'a0\n',
      'b0\n',
      'c0\n',
      'c0\n',
    ]);
  });

  it('rewinds when a flush fails, and finds the failing batch one by one', async () => {
    const bench = new ChainBench({ afterRetries: 'discard' });
    bench.append([...ten('a'), ...ten('b'), ...ten('c'), ...ten('d')]);
    bench.emitter.onFlush = (texts) => (texts.includes('c5\n') ? retry('commit failed') : DELIVERED);
    await bench.started();
    await bench.clock.advance(120_000);
    expect(bench.emitter.delivered).toEqual([...ten('a'), ...ten('b'), ...ten('d')]);
    expect(bench.cursor.discarded.records).toBe(10);
  });

  it('holds and pages when a flush keeps failing', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b')]);
    let isFull = true;
    bench.emitter.onFlush = () => (isFull ? retry('disk full') : DELIVERED);
    const chain = await bench.started();
    await bench.clock.advance(100_000);
    expect(chain.status()).toMatchObject({ state: 'holding', reason: 'disk full' });
    expect(bench.notifier.open).toEqual(new Set(['test/delivery']));
    isFull = false;
    await bench.clock.advance(300_000);
    expect(bench.emitter.delivered).toEqual([...ten('a'), ...ten('b')]);
    expect(bench.notifier.open.size).toBe(0);
  });
});

describe('delivery: age of the oldest undelivered record', () => {
  it('is reported while a batch waits, and after a rewind', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b')]);
    bench.emitter.onFlush = () => retry('disk full');
    const chain = await bench.started();
    expect(bench.emitter.flushes).toBe(1);
    await bench.clock.advance(4000);
    expect(bench.emitter.flushes).toBe(1);
    expect(chain.status().oldestUndeliveredAgeMs).toBe(4000);
    bench.emitter.onEmit = () => retry('down');
    await bench.clock.advance(96_000);
    expect(chain.status().oldestUndeliveredAgeMs).toBe(100_000);
    bench.emitter.onEmit = () => DELIVERED;
    bench.emitter.onFlush = () => DELIVERED;
    await bench.clock.advance(300_000);
    expect(chain.status()).toMatchObject({ state: 'idle', oldestUndeliveredAgeMs: 0 });
    expect(chain.status().lastSuccessUnixNano).toBeDefined();
  });

  it('is the age of the first record that is emitted again', async () => {
    const bench = new ChainBench();
    bench.emitter.onEmit = async () => {
      await bench.clock.sleep(60);
      return DELIVERED;
    };
    bench.emitter.onFlush = () => retry('disk full');
    const chain = await bench.started();
    bench.append(ten('a'));
    await bench.clock.advance(50);
    bench.append(ten('b'));
    await bench.clock.advance(950);
    expect(bench.emitter.emits).toHaveLength(2);
    expect(chain.status()).toMatchObject({ state: 'retrying', oldestUndeliveredAgeMs: 1000 });
  });
});
