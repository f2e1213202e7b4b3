import { describe, expect, it } from 'vitest';
import { filterStage } from '../../../src/emitters/filtering/filter-stage.ts';
import { rejected, retry } from '../../../src/emitters/outcome.ts';
import { WORDS } from '../../support/hand-made-filter.ts';
import { ChainBench, ten } from './chain-bench.ts';

function bench(): ChainBench {
  const made = new ChainBench();
  made.stage = filterStage(WORDS);
  return made;
}

const half = ten('line ').map((text, index) => (index % 2 === 0 ? `drop ${text}` : text));
const bytesOf = (texts: readonly string[]) => texts.join('').length;

describe('filtered records', () => {
  it('are counted in the commit that moves the cursor after them', async () => {
    const made = bench();
    const chain = await made.started();
    made.append(half);
    await made.clock.advance(100);
    const dropped = half.filter((text) => text.startsWith('drop'));
    expect(made.cursor.commits).toHaveLength(1);
    expect(made.cursor.commits[0]?.filtered).toEqual({ records: 5, bytes: bytesOf(dropped) });
    expect(made.queue.balance('test')).toMatchObject({
      accepted: { records: 10 },
      delivered: { records: 5 },
      filtered: { records: 5 },
      queued: { records: 0 },
    });
    expect(await made.metric('aggregator_emitter_filtered_records_total')).toBe(5);
    expect(await made.metric('aggregator_emitter_records_total')).toBe(5);
    await made.stop(chain);
  });

  it('are counted if no record of a batch is left', async () => {
    const made = bench();
    const chain = await made.started();
    made.append(ten('drop '));
    await made.clock.advance(100);
    expect(made.emitter.emits).toEqual([]);
    expect(made.queue.balance('test')).toMatchObject({
      delivered: { records: 0 },
      filtered: { records: 10 },
    });
    await made.stop(chain);
  });

  it('are counted once if the batch is emitted again', async () => {
    const made = bench();
    made.emitter.onEmit = () => (made.emitter.emits.length < 3 ? retry('busy') : { kind: 'delivered' });
    const chain = await made.started();
    made.append(half);
    for (let i = 0; i < 4; i++) await made.clock.advance(60_000);
    expect(made.emitter.emits.length).toBe(3);
    expect(made.queue.balance('test')).toMatchObject({ delivered: { records: 5 }, filtered: { records: 5 } });
    await made.stop(chain);
  });

  it('are counted once if a failed flush repeats the batches', async () => {
    const made = bench();
    made.emitter.onFlush = () => (made.emitter.flushes < 2 ? retry('busy') : { kind: 'delivered' });
    const chain = await made.started();
    made.append(half);
    made.append(ten('drop '));
    for (let i = 0; i < 4; i++) await made.clock.advance(60_000);
    expect(made.queue.balance('test')).toMatchObject({
      delivered: { records: 5 },
      filtered: { records: 15 },
    });
    await made.stop(chain);
  });

  it('are no dead letters when records next to them are rejected', async () => {
    const made = bench();
    made.emitter.onEmit = (texts) => {
      const bad = texts.flatMap((text, index) => (text.includes('3') ? [index] : []));
      return bad.length > 0 ? rejected('bad', bad) : { kind: 'delivered' };
    };
    const chain = await made.started();
    made.append(half);
    await made.clock.advance(100);
    expect(made.emitter.delivered).toEqual(['line 1\n', 'line 5\n', 'line 7\n', 'line 9\n']);
    expect(made.queue.balance('test')).toMatchObject({
      delivered: { records: 4 },
      filtered: { records: 5 },
      deadLettered: { records: 1 },
    });
    await made.stop(chain);
  });

  it.each(['dead-letter', 'discard'] as const)(
    'are filtered when a batch becomes a %s after its retries',
    async (afterRetries) => {
      const made = new ChainBench({ afterRetries });
      made.stage = filterStage(WORDS);
      made.emitter.onEmit = () => retry('500');
      const chain = await made.started();
      const texts = ten('line ').map((text, index) => ([2, 4].includes(index) ? `drop ${text}` : text));
      made.append(texts);
      await made.clock.advance(16_000);
      const left = texts.filter((text) => !text.startsWith('drop'));
      const kept = { records: 8, bytes: bytesOf(left) };
      const isKept = afterRetries === 'dead-letter';
      expect(made.deadLetters).toEqual(isKept ? ['500 (2)', '500 (1)', '500 (5)'] : []);
      expect(made.queue.balance('test')).toMatchObject({
        delivered: { records: 0 },
        filtered: { records: 2 },
        deadLettered: isKept ? kept : { records: 0 },
        discarded: isKept ? { records: 0 } : kept,
        queued: { records: 0 },
      });
      await made.stop(chain);
    },
  );

  it('of a replayed dead letter are counted, and the dead letter is gone', async () => {
    const made = bench();
    made.stage = (batch) => ({ batch });
    made.emitter.onEmit = () => rejected('bad', [0]);
    const first = await made.started();
    made.append(['drop this\n']);
    await made.clock.advance(20_000);
    await made.stop(first);
    expect(made.queue.balance('test')).toMatchObject({ deadLettered: { records: 1 } });

    made.stage = filterStage(WORDS);
    const second = await made.started();
    await made.queue.deadLetters.requestReplay(made.queue.deadLetters.list('test').map(({ id }) => id));
    await made.clock.advance(1_000);
    expect(made.queue.balance('test')).toMatchObject({
      deadLettered: { records: 0 },
      delivered: { records: 0 },
      filtered: { records: 1 },
    });
    await made.stop(second);
  });
});
