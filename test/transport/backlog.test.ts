import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backlog } from '../../src/transport/backlog.ts';
import type { DropReason, QueueOptions } from '../../src/transport/outlet.ts';

const ENTRY_BYTES = 128;

function backlog(options: QueueOptions = {}) {
  const dropped: [DropReason, number][] = [];
  const log = new Backlog({ ...options, onDropped: (reason, count) => dropped.push([reason, count]) });
  return { log, dropped };
}

const message = (text: string) => [Buffer.from(text)];
const textsOf = (taken: ReturnType<Backlog['take']>) =>
  taken.map(({ packets }) => Buffer.concat(packets).toString());
/** Room for so many messages of one byte. */
const roomFor = (count: number) => count * (ENTRY_BYTES + 1);

describe('order', () => {
  it('is kept when messages in flight are put back', () => {
    const { log } = backlog();
    for (const text of ['a', 'b', 'c']) log.add(message(text));
    expect(textsOf(log.take(2 * (ENTRY_BYTES + 1)))).toEqual(['a', 'b']);
    log.add(message('d'));
    log.putBack();
    expect(textsOf(log.take(10_000))).toEqual(['a', 'b', 'c', 'd']);
    log.confirm();
    expect(log.count).toBe(0);
    expect(log.bytes).toBe(0);
  });

  it('returns one message that exceeds the requested size', () => {
    const { log } = backlog();
    log.add(message('x'.repeat(1_000)));
    expect(log.take(10)).toHaveLength(1);
  });
});

describe('a full backlog', () => {
  it('drops its oldest messages, but none in flight', () => {
    const { log, dropped } = backlog({ maxQueuedBytes: roomFor(3) });
    for (const text of ['a', 'b', 'c']) log.add(message(text));
    log.take(1);
    expect(log.add(message('d'))).toBe(true);
    expect(dropped).toEqual([['full', 1]]);
    log.putBack();
    expect(textsOf(log.take(10_000))).toEqual(['a', 'c', 'd']);
    // Nothing but what is in flight: the new one has to go.
    expect(log.add(message('e'))).toBe(false);
    expect(dropped).toEqual([
      ['full', 1],
      ['full', 1],
    ]);
  });

  it('drops its newest messages if so configured', () => {
    const { log, dropped } = backlog({ maxQueuedBytes: roomFor(2), whenFull: 'drop-newest' });
    expect(['a', 'b', 'c'].map((text) => log.add(message(text)))).toEqual([true, true, false]);
    expect(dropped).toEqual([['full', 1]]);
    expect(textsOf(log.take(10_000))).toEqual(['a', 'b']);
  });

  it('drops a message above the limit, and keeps the rest', () => {
    const { log, dropped } = backlog({ maxQueuedBytes: 1_000 });
    log.add(message('a'));
    expect(log.add(message('x'.repeat(1_000)))).toBe(false);
    expect(dropped).toEqual([['too-large', 1]]);
    expect(log.count).toBe(1);
  });

  it('notifies when it has room', async () => {
    const { log } = backlog({ maxQueuedBytes: roomFor(4) });
    await log.room();
    for (const text of ['a', 'b', 'c']) log.add(message(text));
    let room = false;
    const waiting = log.room().then(() => {
      room = true;
    });
    log.take(1);
    await Promise.resolve();
    expect(room).toBe(false);
    log.confirm();
    log.take(1);
    log.confirm();
    await waiting;
  });
});

describe('a flush', () => {
  it('waits for queued messages, but not for later ones', async () => {
    const { log } = backlog();
    log.add(message('a'));
    const flushed = log.flush();
    log.add(message('b'));
    log.take(1);
    log.confirm();
    expect(await flushed).toBe(true);
    expect(log.count).toBe(1);
  });

  it('is false when some were dropped, or at the deadline', async () => {
    const { log } = backlog({ maxQueuedBytes: roomFor(2) });
    log.add(message('a'));
    log.add(message('b'));
    const flushed = log.flush();
    log.add(message('c'));
    const later = log.flush();
    const inTime = log.flush(AbortSignal.abort());
    log.take(10_000);
    log.confirm();
    expect(await flushed).toBe(false);
    expect(await later).toBe(true);
    expect(await inTime).toBe(false);
    expect(await log.flush()).toBe(true);
  });

  it('does not take later losses for the end of what is in flight', async () => {
    const { log } = backlog({ maxQueuedBytes: roomFor(2) });
    log.add(message('a'));
    log.take(1);
    let done = false;
    void log.flush().then(() => {
      done = true;
    });
    for (const text of ['b', 'c', 'd']) log.add(message(text));
    await Promise.resolve();
    expect(done).toBe(false);
  });
});

it('keeps its limit and order for any sequence of operations', () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('add'), size: fc.nat(600) }) },
    fc.record({ kind: fc.constant('take'), size: fc.nat(2_000) }),
    fc.record({ kind: fc.constantFrom('confirm', 'putBack', 'giveUp'), size: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.boolean(), (steps, dropOldest) => {
      const { log, dropped } = backlog({
        maxQueuedBytes: 3_000,
        whenFull: dropOldest ? 'drop-oldest' : 'drop-newest',
      });
      let taken: readonly { ordinal: number }[] = [];
      let added = 0;
      let confirmed = 0;
      let highest = 0;
      for (const { kind, size } of steps) {
        if (kind === 'add') {
          added++;
          log.add([Buffer.alloc(size)]);
        } else if (kind === 'take' && taken.length === 0) {
          taken = log.take(size);
          for (const [index, { ordinal }] of taken.entries()) {
            if (index > 0) expect(ordinal).toBeGreaterThan((taken[index - 1] as { ordinal: number }).ordinal);
          }
        } else if (kind === 'confirm') {
          for (const { ordinal } of taken) {
            expect(ordinal).toBeGreaterThan(highest);
            highest = ordinal;
          }
          confirmed += taken.length;
          log.confirm();
          taken = [];
        } else if (kind === 'putBack') {
          log.putBack();
          taken = [];
        } else if (kind === 'giveUp') {
          log.giveUp('failed');
          taken = [];
        }
        expect(log.bytes).toBeLessThanOrEqual(3_000);
      }
      const lost = dropped.reduce((sum, [, count]) => sum + count, 0);
      expect(added).toBe(confirmed + lost + log.count);
      log.clear('closed');
      expect([log.count, log.bytes]).toEqual([0, 0]);
    }),
  );
});
