import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterStage } from '../../../src/emitters/filtering/filter-stage.ts';
import { DELIVERED, type Outcome, rejected, retry } from '../../../src/emitters/outcome.ts';
import { WORDS } from '../../support/hand-made-filter.ts';
import { ChainBench } from './chain-bench.ts';

/** Possible failures and their probability in percent. */
const moods = fc.record({
  retry: fc.integer({ min: 0, max: 30 }),
  rolledBack: fc.integer({ min: 0, max: 100 }),
  throws: fc.integer({ min: 0, max: 10 }),
  flushFails: fc.integer({ min: 0, max: 30 }),
  flushJudges: fc.boolean(),
  names: fc.integer({ min: 0, max: 100 }),
  commitFails: fc.integer({ min: 0, max: 30 }),
  readFails: fc.integer({ min: 0, max: 20 }),
  crashes: fc.integer({ min: 0, max: 3 }),
});

const scenarios = fc.record({
  mood: moods,
  seed: fc.integer(),
  maxRecords: fc.integer({ min: 1, max: 25 }),
  entries: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 15 }),
  badPercent: fc.integer({ min: 0, max: 15 }),
  dropPercent: fc.constantFrom(0, 10, 50, 95),
});

/** mulberry32: a small generator with the same results on all platforms. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe('delivery: random failures', () => {
  it('delivers, filters or dead-letters each record exactly once, in order, and the totals match', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ mood, seed, maxRecords, entries, badPercent, dropPercent }) => {
        const random = randomFrom(seed);
        const chance = (percent: number) => random() * 100 < percent;
        const bench = new ChainBench({ maxRecords, publishFrequencyMs: 100, retryDelayMs: 10 });
        bench.random = random;
        bench.stage = filterStage(WORDS);
        const { emitter, queue, cursor } = bench;
        const isBad = (text: string) => text.includes('bad');
        const undoneOrNot = (outcome: Outcome): Outcome =>
          outcome.kind !== 'delivered' && chance(mood.rolledBack)
            ? { ...outcome, rolledBack: true }
            : outcome;

        emitter.onEmit = (texts) => {
          if (chance(mood.throws)) throw new Error('a fault');
          if (chance(mood.retry)) return undoneOrNot(retry('not now'));
          if (mood.flushJudges || !texts.some(isBad)) return DELIVERED;
          const bad = texts.flatMap((text, index) => (isBad(text) ? [index] : []));
          if (!chance(mood.names)) return undoneOrNot(rejected('bad'));
          // The emitter may name only the first bad ones.
          return undoneOrNot(rejected('bad', bad.slice(0, 1 + Math.floor(random() * bad.length))));
        };
        emitter.onFlush = (texts) => {
          if (chance(mood.flushFails)) return retry('not now');
          return texts.some(isBad) ? rejected('bad') : DELIVERED;
        };
        queue.commitFault = () => (chance(mood.commitFails) ? 'disk' : undefined);
        queue.readFault = () => (chance(mood.readFails) ? 'disk' : undefined);

        const records: string[] = [];
        let crashes = mood.crashes;
        let chain = await bench.started();
        for (const count of entries) {
          const texts = Array.from(
            { length: count },
            (_, index) =>
              `${records.length + index}${chance(badPercent) ? ' bad' : ''}${chance(dropPercent) ? ' drop' : ''}\n`,
          );
          records.push(...texts);
          bench.append(texts);
          await bench.clock.advance(random() * 50);
          if (crashes > 0 && chance(20)) {
            crashes--;
            const fault: typeof queue.commitFault = queue.commitFault;
            queue.commitFault = () => 'killed';
            await bench.stop(chain, aborted());
            queue.commitFault = fault;
            // An exactly-once emitter truncates its destination to the committed state.
            emitter.crash();
            emitter.delivered.length = (cursor.state as { count: number } | undefined)?.count ?? 0;
            chain = await bench.started();
          }
        }
        const end = { entry: entries.length + 1, record: 0 };
        for (let i = 0; i < 200 && JSON.stringify(cursor.committed) !== JSON.stringify(end); i++) {
          await bench.clock.advance(60_000);
        }
        expect(cursor.committed).toEqual(end);
        const kept = records.filter((text) => !text.includes('drop'));
        expect(emitter.delivered).toEqual(kept.filter((text) => !isBad(text)));
        const dead = queue.deadLetters.list('test');
        expect(dead.every(({ records: count }) => count === 1)).toBe(true);
        expect(dead).toHaveLength(kept.filter(isBad).length);
        expect(queue.balance('test')).toMatchObject({
          accepted: { records: records.length },
          queued: { records: 0 },
          discarded: { records: 0 },
          delivered: { records: emitter.delivered.length },
          filtered: { records: records.length - kept.length },
        });
        queue.commitFault = undefined;
        queue.readFault = undefined;
        await bench.stop(chain);
      }),
      { numRuns: 60 },
    );
  });
});

function aborted(): AbortController {
  const controller = new AbortController();
  controller.abort();
  return controller;
}
