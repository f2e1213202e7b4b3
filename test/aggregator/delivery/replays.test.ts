import { describe, expect, it } from 'vitest';
import { DELIVERED, rejected, retry } from '../../../src/emitters/outcome.ts';
import { ChainBench, ten } from './chain-bench.ts';

/** A chain that has dead-lettered `a4` and is idle. */
async function withDeadLetter() {
  const bench = new ChainBench();
  bench.append(ten('a'));
  bench.emitter.onEmit = (texts) => {
    const index = texts.indexOf('a4\n');
    return index >= 0 ? rejected('bad', [index]) : DELIVERED;
  };
  const chain = await bench.started();
  const id = bench.queue.deadLetters.list('test')[0]?.id ?? '';
  bench.emitter.delivered.length = 0;
  bench.emitter.emits.length = 0;
  return { bench, chain, id };
}

describe('delivery: replays', () => {
  it('delivers a dead letter in its own batch, and removes it', async () => {
    const { bench, id } = await withDeadLetter();
    expect(bench.notifier.open).toEqual(new Set(['test/dead-letters']));
    bench.emitter.onEmit = () => DELIVERED;
    await bench.queue.deadLetters.requestReplay([id]);
    await bench.clock.advance(0);
    expect(bench.emitter.delivered).toEqual(['a4\n']);
    expect(bench.deadLetters).toEqual([]);
    expect(bench.cursor.commits.at(-1)).toMatchObject({ point: { entry: 2, record: 0 }, replayed: [id] });
    expect(bench.notifier.resolves).toEqual(['test/dead-letters']);
  });

  it('keeps a dead letter that is rejected again, with the new reason and without the request', async () => {
    const { bench, id } = await withDeadLetter();
    bench.emitter.onEmit = () => rejected('still bad');
    await bench.queue.deadLetters.requestReplay([id]);
    await bench.clock.advance(600_000);
    expect(bench.emitter.emits).toEqual([['a4\n']]);
    expect(bench.deadLetters).toEqual(['still bad (1)']);
    expect(bench.queue.deadLetters.replaying('test')).toEqual([]);
    expect(bench.notifier.open).toEqual(new Set(['test/dead-letters']));
  });

  it('continues requested replays after a restart', async () => {
    const { bench, chain, id } = await withDeadLetter();
    await bench.stop(chain);
    await bench.queue.deadLetters.requestReplay([id]);
    bench.emitter.onEmit = () => DELIVERED;
    await bench.started();
    expect(bench.emitter.delivered).toEqual(['a4\n']);
  });

  it('delivers other batches while the destination does not accept the replay', async () => {
    const { bench, id } = await withDeadLetter();
    let isDown = true;
    bench.emitter.onEmit = (texts) => (texts.includes('a4\n') && isDown ? retry('500') : DELIVERED);
    await bench.queue.deadLetters.requestReplay([id]);
    await bench.clock.advance(0);
    bench.append(ten('b'));
    await bench.clock.advance(0);
    expect(bench.emitter.delivered).toEqual(ten('b'));
    isDown = false;
    await bench.clock.advance(60_000);
    expect(bench.emitter.delivered).toEqual([...ten('b'), 'a4\n']);
    expect(bench.deadLetters).toEqual([]);
  });

  it('delivers a replay once when a later flush fails', async () => {
    const { bench, id } = await withDeadLetter();
    let flushes = 0;
    bench.emitter.onEmit = () => DELIVERED;
    bench.emitter.onFlush = () => (flushes++ === 0 ? retry('disk full') : DELIVERED);
    bench.append(ten('b'));
    await bench.queue.deadLetters.requestReplay([id]);
    await bench.clock.advance(60_000);
    expect([...bench.emitter.delivered].sort()).toEqual(['a4\n', ...ten('b')].sort());
    expect(bench.deadLetters).toEqual([]);
    expect(bench.cursor.committed).toEqual({ entry: 3, record: 0 });
  });

  it('keeps a dead letter that only the flush rejects', async () => {
    const { bench, id } = await withDeadLetter();
    bench.emitter.onEmit = () => DELIVERED;
    bench.emitter.onFlush = (texts) => (texts.includes('a4\n') ? rejected('constraint') : DELIVERED);
    bench.append(ten('b'));
    await bench.queue.deadLetters.requestReplay([id]);
    await bench.clock.advance(60_000);
    expect(bench.emitter.delivered).toEqual(ten('b'));
    expect(bench.deadLetters).toEqual(['constraint (1)']);
    bench.append(ten('c'));
    await bench.clock.advance(0);
    expect(bench.emitter.delivered).toEqual([...ten('b'), ...ten('c')]);
  });

  it('resolves the incident when the operator discards the last dead letter', async () => {
    const { bench, chain, id } = await withDeadLetter();
    await bench.queue.deadLetters.discard([id]);
    chain.deadLettersDiscarded();
    expect(bench.notifier.resolves).toEqual(['test/dead-letters']);
  });
});
