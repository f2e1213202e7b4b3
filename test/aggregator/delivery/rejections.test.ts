import { describe, expect, it } from 'vitest';
import type { QueuedBatch } from '../../../src/aggregator/delivery/queued-batch.ts';
import { type RejectionDecision, Rejections } from '../../../src/aggregator/delivery/rejections.ts';
import { DELIVERED, rejected, retry } from '../../../src/emitters/outcome.ts';
import { batchOf } from '../../../src/records/batch.ts';
import { lines, recordBatch } from '../../support/record-batches.ts';
import { withoutRecords } from '../../support/without-records.ts';
import { ChainBench, ten } from './chain-bench.ts';

function queued(count: number): QueuedBatch {
  return {
    batch: batchOf([recordBatch(lines(count))]),
    positions: [{ entry: 3, record: 0 }],
    begin: { entry: 3, record: 0 },
    end: { entry: 4, record: 0 },
    deadLetters: [],
    acceptedTimeUnixNano: 0n,
  };
}

const withRoom = () => new Rejections(() => true);
const counts = (decision: RejectionDecision) =>
  decision.kind === 'emit' ? decision.pieces.map(({ batch }) => batch.recordCount) : decision.kind;

describe('the decision after a rejection', () => {
  it('emits the rest of a batch without the named records', () => {
    const decision = withRoom().decide(queued(10), rejected('bad', [7, 2, 2]));
    expect(counts(decision)).toEqual([8]);
    const rest = decision.kind === 'emit' ? decision.pieces[0] : undefined;
    expect(rest?.deadLetters.map(({ at, letter }) => [at.record, letter.reason])).toEqual([
      [2, 'bad'],
      [7, 'bad'],
    ]);
    expect(rest?.end).toEqual({ entry: 4, record: 0 });
  });

  it('passes a batch when every record is named', () => {
    const decision = withRoom().decide(queued(2), rejected('bad', [0, 1]));
    expect(decision).toMatchObject({ kind: 'pass', rest: { end: { entry: 4, record: 0 } } });
  });

  it('halves a batch when no valid record is named, the first half first', () => {
    const decision = withRoom().decide(queued(5), rejected('bad', [-1, 5, 0.5]));
    expect(counts(decision)).toEqual([2, 3]);
    expect(decision.kind === 'emit' && decision.pieces[1]?.begin).toEqual({ entry: 3, record: 2 });
  });

  it('isolates a single record fifteen times, then blames the destination', () => {
    const rejections = withRoom();
    const kinds = () => rejections.decide(queued(1), rejected('bad')).kind;
    expect(Array.from({ length: 17 }, kinds)).toEqual([
      ...Array.from({ length: 15 }, () => 'isolated'),
      'blame-destination',
      'blame-destination',
    ]);
  });

  it('counts isolated records anew after a delivery', () => {
    const rejections = withRoom();
    for (let i = 0; i < 15; i++) rejections.decide(queued(1), rejected('bad'));
    rejections.delivered();
    expect(rejections.decide(queued(1), rejected('bad')).kind).toBe('isolated');
  });

  it.each([
    ['named', queued(3), rejected('bad', [1])],
    ['isolated', queued(1), rejected('bad')],
  ])('does not dead-letter %s records that do not fit into the store', (_, batch, outcome) => {
    const bytes = batch.batch.byteCount / batch.batch.recordCount;
    const seen: number[] = [];
    const rejections = new Rejections((letters) => {
      seen.push(letters.reduce((sum, { letter }) => sum + letter.records.data.length, 0));
      return false;
    });
    expect(rejections.decide(batch, outcome)).toEqual({
      kind: 'store-full',
      reason: 'The dead letter store is full: bad',
    });
    expect(seen).toEqual([bytes]);
  });
});

describe('delivery: rejected records', () => {
  it('dead-letters named records and emits the rest in one batch', async () => {
    const bench = new ChainBench();
    bench.append(['x0\n', 'x1\n', 'x2\n']);
    bench.append(['y0\n', 'y1\n', 'y2\n', 'y3\n', 'y4\n', 'y5\n', 'y6\n']);
    bench.emitter.onEmit = (texts) => {
      const bad = texts.flatMap((text, index) => (['x2\n', 'y0\n', 'y4\n'].includes(text) ? [index] : []));
      return bad.length > 0 ? rejected('too long', bad) : DELIVERED;
    };
    await bench.started();
    expect(bench.emitter.delivered).toEqual(['x0\n', 'x1\n', 'y1\n', 'y2\n', 'y3\n', 'y5\n', 'y6\n']);
    expect(bench.emitter.emits).toHaveLength(2);
    expect(bench.deadLetters).toEqual(['too long (1)', 'too long (1)', 'too long (1)']);
    expect(bench.cursor.commits).toHaveLength(1);
    expect(bench.notifier.triggers).toEqual([
      { incident: 'test/dead-letters', details: { reason: 'too long', records: 3, bytes: 9, attempts: 0 } },
    ]);
    expect(await bench.metric('aggregator_emitter_rejected_records_total')).toBe(3);
  });

  it('dead-letters a whole batch when every record is named', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b')]);
    bench.emitter.onEmit = (texts) =>
      texts.includes('a0\n') ? rejected('odd', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) : DELIVERED;
    await bench.started();
    expect(bench.deadLetters).toHaveLength(10);
    expect(bench.emitter.delivered).toEqual(ten('b'));
  });

  it('ignores invalid indexes, and halves the batch when none is valid', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    bench.emitter.onEmit = (texts) =>
      texts.includes('a7\n') ? rejected('odd', [-1, 99, 1.5, Number.NaN]) : DELIVERED;
    await bench.started();
    expect(bench.deadLetters).toEqual(['odd (1)']);
    expect(bench.emitter.delivered).toEqual(ten('a').filter((text) => text !== 'a7\n'));
  });

  it('finds one bad record among a thousand with few emits and keeps the order', async () => {
    const bench = new ChainBench({ maxRecords: 1000 });
    const records = lines(1000);
    bench.append(records.slice(0, 300));
    bench.append(records.slice(300));
    bench.emitter.onEmit = (texts) => (texts.includes('line 617\n') ? rejected('bad') : DELIVERED);
    await bench.started();
    expect(bench.deadLetters).toEqual(['bad (1)']);
    expect(bench.emitter.delivered).toEqual(records.filter((text) => text !== 'line 617\n'));
    expect(bench.emitter.emits.length).toBeLessThanOrEqual(21);
    expect(bench.cursor.committed).toEqual({ entry: 3, record: 0 });
  });

  it('finds the bad record when only the flush rejects it', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b'), ...ten('c')]);
    bench.emitter.onFlush = (texts) => (texts.includes('b4\n') ? rejected('constraint') : DELIVERED);
    await bench.started();
    expect(bench.deadLetters).toEqual(['constraint (1)']);
    expect(bench.emitter.delivered).toEqual(
      [...ten('a'), ...ten('b'), ...ten('c')].filter((text) => text !== 'b4\n'),
    );
  });

  it('finds the bad record when its rejection rolls back earlier batches', async () => {
    const bench = new ChainBench();
    bench.append([...ten('a'), ...ten('b'), ...ten('c')]);
    bench.emitter.onEmit = (texts) =>
      texts.includes('c4\n') ? { ...rejected('bad', [texts.indexOf('c4\n')]), rolledBack: true } : DELIVERED;
    await bench.started();
    expect(bench.deadLetters).toEqual(['bad (1)']);
    expect(bench.emitter.delivered).toEqual(
      [...ten('a'), ...ten('b'), ...ten('c')].filter((text) => text !== 'c4\n'),
    );
  });

  it('commits dead letters together with the cursor', async () => {
    const bench = new ChainBench();
    bench.append(ten('a'));
    bench.emitter.onEmit = (texts) =>
      texts.includes('a4\n') ? rejected('bad', [texts.indexOf('a4\n')]) : DELIVERED;
    await bench.started();
    expect(bench.cursor.commits).toHaveLength(1);
    expect(bench.cursor.commits[0]).toMatchObject({
      point: { entry: 2, record: 0 },
      deadLetters: [{ reason: 'bad' }],
    });
  });

  it('holds while the dead letter store is full', async () => {
    const bench = new ChainBench({}, 2);
    bench.append(ten('a'));
    let isFixed = false;
    bench.emitter.onEmit = (texts) => (!isFixed && texts.includes('a4\n') ? rejected('bad') : DELIVERED);
    const chain = await bench.started();
    expect(chain.status()).toMatchObject({ state: 'holding' });
    expect(bench.emitter.delivered).toEqual(ten('a').slice(0, 4));
    expect(bench.notifier.open).toContain('test/delivery');
    isFixed = true;
    await bench.clock.advance(60_000);
    expect(bench.emitter.delivered).toEqual(ten('a'));
    expect(bench.deadLetters).toEqual([]);
  });
});

describe('delivery: holding', () => {
  it('uses up no retries', async () => {
    const bench = new ChainBench({ afterRetries: 'discard' }, 2);
    bench.append(['bad\n']);
    bench.emitter.onEmit = () => {
      const attempt = bench.emitter.emits.length;
      if (attempt <= 4) return rejected('bad');
      return attempt === 5 ? retry('blip') : DELIVERED;
    };
    await bench.started();
    await bench.clock.advance(600_000);
    expect(bench.emitter.delivered).toEqual(['bad\n']);
    expect(bench.cursor.discarded.records).toBe(0);
  });
});

describe('delivery: all records are rejected', () => {
  it('holds and pages after 16 isolated rejections, without dead letters', async () => {
    const bench = new ChainBench({ maxRecords: 1000, afterRetries: 'discard' });
    bench.append(lines(1000));
    let isBroken = true;
    bench.emitter.onEmit = () => (isBroken ? rejected('no such table') : DELIVERED);
    const chain = await bench.started();
    expect(bench.emitter.emits.filter((texts) => texts.length === 1)).toHaveLength(16);
    expect(bench.deadLetters).toEqual([]);
    expect(bench.cursor.committed).toEqual({ entry: 1, record: 0 });
    expect(chain.status().state).toBe('holding');
    expect(bench.notifier.triggers[0]).toMatchObject({ incident: 'test/delivery', details: { records: 1 } });

    await bench.clock.advance(1_000_000);
    expect(bench.deadLetters).toEqual([]);
    isBroken = false;
    await bench.clock.advance(300_000);
    expect(bench.emitter.delivered).toEqual(lines(1000));
    expect(bench.notifier.open.size).toBe(0);
  });

  it('creates no dead letters when each attempt is slow', async () => {
    const bench = new ChainBench({ maxRecords: 100 });
    bench.append(lines(100));
    bench.emitter.onEmit = async () => {
      await bench.clock.sleep(60);
      return rejected('no such table');
    };
    await bench.started();
    await bench.clock.advance(60_000);
    expect(bench.emitter.emits.length).toBeGreaterThan(16);
    expect(bench.deadLetters).toEqual([]);
    expect(bench.cursor.committed).toEqual({ entry: 1, record: 0 });
  });

  it('does not repeat records delivered before', async () => {
    const bench = new ChainBench({ maxRecords: 100 });
    bench.append(lines(300));
    bench.emitter.onEmit = (texts) => (texts.includes('line 0\n') ? DELIVERED : rejected('no such table'));
    await bench.started();
    expect(bench.emitter.delivered).toEqual(lines(100));
    expect(bench.cursor.committed).toEqual({ entry: 1, record: 100 });
    expect(bench.deadLetters).toEqual([]);
  });

  it('dead-letters fifteen bad records in a row', async () => {
    const bench = new ChainBench({ maxRecords: 100 });
    bench.append(lines(100));
    const bad = lines(15);
    bench.emitter.onEmit = (texts) =>
      texts.some((text) => bad.includes(text)) ? rejected('bad') : DELIVERED;
    await bench.started();
    expect(bench.deadLetters).toHaveLength(15);
    expect(bench.emitter.delivered).toEqual(lines(100).slice(15));
  });

  it('counts isolated rejections across several small batches', async () => {
    const bench = new ChainBench({ maxRecords: 1 });
    bench.append(lines(40));
    bench.emitter.onEmit = () => rejected('no such table');
    const chain = await bench.started();
    expect(chain.status().state).toBe('holding');
    expect(bench.deadLetters).toEqual([]);
  });

  it('takes no evidence from batches whose records the stage left out', async () => {
    const bench = new ChainBench({ maxRecords: 1 });
    bench.stage = withoutRecords('left out');
    bench.append(Array.from({ length: 40 }, (_, index) => `${index}${index % 4 === 3 ? ' left out' : ''}\n`));
    bench.emitter.onEmit = () => rejected('no such table');
    const chain = await bench.started();
    expect(chain.status().state).toBe('holding');
    expect(bench.deadLetters).toEqual([]);
    expect(bench.cursor.committed).toEqual({ entry: 1, record: 0 });
  });
});

describe('delivery: records that the stage leaves out', () => {
  it('moves the cursor past them without emitting them', async () => {
    const bench = new ChainBench();
    bench.stage = withoutRecords('left out');
    bench.append(['a\n', 'b left out\n', 'c\n']);
    bench.append(ten('left out '));
    const chain = await bench.started();
    await bench.stop(chain);
    expect(bench.emitter.delivered).toEqual(['a\n', 'c\n']);
    expect(bench.cursor.committed).toEqual({ entry: 3, record: 0 });
  });

  it('dead-letters the record that the emitter names', async () => {
    const bench = new ChainBench();
    bench.stage = withoutRecords('left out');
    bench.append(['a left out\n', ...ten('b').slice(1)]);
    bench.emitter.onEmit = (texts) => {
      const index = texts.indexOf('b4\n');
      return index >= 0 ? rejected('bad', [index]) : DELIVERED;
    };
    await bench.started();
    expect(bench.deadLetters).toEqual(['bad (1)']);
    expect(bench.emitter.delivered).toEqual(ten('b').filter((text) => text !== 'b0\n' && text !== 'b4\n'));
  });
});
