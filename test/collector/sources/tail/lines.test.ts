import { truncateSync } from 'node:fs';
import { chmod, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asUnprivileged } from '../../../support/as-unprivileged.ts';
import { numbered, Tailing } from './tailing.ts';

describe('a last line without an end', () => {
  it('is sent after five idle seconds, and later bytes are a new record', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', 'one\ntw');
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe('one\n');
    await tail.append('a.log', 'o');
    await tail.turn();
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe('one\n');
    await tail.pass(2_000);
    await tail.append('a.log', ' and more\nthree\n');
    await tail.turn();
    const records = tail.taken.batches.map(({ sizes, marks }) => ({ sizes: [...sizes], marks }));
    expect(records).toEqual([
      { sizes: [4], marks: [] },
      { sizes: [3], marks: [{ index: 0, mark: 'unterminated' }] },
      { sizes: [10, 6], marks: [] },
    ]);
  });
});

describe('multiline records', () => {
  it('wait for the line that shows their end, or for idle time', async () => {
    const tail = await Tailing.start({ entry: { multiline: { start: /^\S/ } } });
    await tail.append('a.log', 'first\n  at a\nsecond\n');
    await tail.turn();
    await tail.append('a.log', '  at b\n');
    await tail.turn();
    expect(tail.taken.text()).toBe('first\n  at a\n');
    await tail.pass(6_000);
    expect(tail.taken.batches.map(({ sizes }) => [...sizes])).toEqual([[13], [14]]);
    expect(tail.taken.batches[1]?.marks).toEqual([]);
  });
});

describe('once', () => {
  it('reads the files that exist at the start, and is drained when all bytes are accepted', async () => {
    const tail = await Tailing.prepare({ once: true });
    await tail.append('a.log', numbered(0, 100));
    await tail.append('b.log', `${numbered(0, 10)}unfinished`);
    tail.sink.paused = true;
    tail.sink.accepting = false;
    await tail.start();
    let drained = false;
    void tail.source.drained().then(() => (drained = true));
    await tail.append('a.log', 'too late\n');
    await tail.append('c.log', 'too late\n');
    await tail.pass(2_000);
    expect(drained).toBe(false);
    tail.sink.acceptAll();
    tail.sink.accepting = true;
    await tail.pass(6_000);
    await tail.source.drained();
    expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(0, 100));
    expect(tail.taken.text(tail.path('b.log'))).toBe(`${numbered(0, 10)}unfinished`);
    tail.sink.accepting = true;
    await tail.restart();
    await tail.source.drained();
    expect(tail.taken.text(tail.path('a.log'))).toBe(`${numbered(0, 100)}too late\n`);
    expect(tail.taken.text(tail.path('c.log'))).toBe('too late\n');
    expect(tail.taken.repeatedBytes).toBe(0);
  });

  it('is drained when there are no files', async () => {
    const tail = await Tailing.start({ once: true });
    await tail.source.drained();
  });

  it('sends a line without an end after idle time', async () => {
    const tail = await Tailing.prepare({ once: true });
    await tail.append('a.log', 'one\ntwo');
    const restedUnixSeconds = Number(tail.clock.nowUnixNano() / 1_000_000_000n) - 6;
    await utimes(tail.path('a.log'), restedUnixSeconds, restedUnixSeconds);
    await tail.start();
    await tail.source.drained();
    expect(tail.taken.text()).toBe('one\ntwo');
  });

  it('waits for the end of a last line that is being written, and reads no further line', async () => {
    const tail = await Tailing.prepare({ once: true });
    await tail.append('a.log', 'one\ntw');
    await tail.start();
    let drained = false;
    void tail.source.drained().then(() => (drained = true));
    await tail.pass(1_000);
    expect(drained).toBe(false);
    await tail.append('a.log', 'o\n');
    await tail.pass(6_000);
    await tail.source.drained();
    expect(tail.taken.text()).toBe('one\ntwo\n');
  });

  it('reads all lines of the last record', async () => {
    const tail = await Tailing.prepare({ once: true, entry: { multiline: { continue: /^\s/ } } });
    await tail.append('a.log', 'one\n at a\ntwo\n at b\n');
    await tail.start();
    await tail.pass(6_000);
    await tail.source.drained();
    expect(tail.taken.text()).toBe('one\n at a\ntwo\n at b\n');
  });

  it('counts the bytes that are left while it reads, and leaves nothing at the end', async () => {
    const tail = await Tailing.prepare({ once: true });
    await tail.append('a.log', numbered(0, 100));
    tail.sink.accepting = false;
    await tail.start();
    await tail.append('a.log', 'too late\n');
    const bytes = numbered(0, 100).length;
    expect(tail.source.left()).toEqual([{ path: tail.path('a.log'), bytes, reason: 'unread' }]);
    tail.sink.acceptAll();
    await tail.source.drained();
    expect(tail.source.left()).toEqual([]);
    expect(tail.source.accepted()).toEqual({ records: 100, bytes });
  });

  it('reports files that it cannot read or distinguish from compressed data, and reads the others', async () => {
    const tail = await Tailing.prepare({ once: true });
    await tail.append('a.log', 'one\n');
    await tail.append('b.log', 'two\n');
    await tail.append('short.log', 'BZ');
    await chmod(tail.path('b.log'), 0);
    await chmod(dirname(tail.logs), 0o755);
    await asUnprivileged(async () => {
      await tail.start();
      await tail.source.drained();
    });
    expect(tail.taken.text()).toBe('one\n');
    expect(tail.source.left()).toEqual([
      { path: tail.path('b.log'), reason: 'unreadable' },
      { path: tail.path('short.log'), reason: 'undecided' },
    ]);
  });

  it('does not wait for a stream that the aggregator rejects, and reports it with the reason', async () => {
    const tail = await Tailing.prepare({ once: true });
    await tail.append('a.log', 'one\n');
    tail.sink.accepting = false;
    await tail.start();
    const drained = tail.source.drained();
    tail.sink.refuseAll('too many streams');
    await drained;
    expect(tail.source.left()).toEqual([
      { path: tail.path('a.log'), bytes: 4, reason: 'refused', refusal: 'too many streams' },
    ]);
  });

  it('counts bytes that were lost before they could be read', async () => {
    const tail = await Tailing.prepare({ once: true });
    await tail.append('a.log', numbered(0, 100));
    tail.once('Following a file', 'a.log', () => truncateSync(tail.path('a.log')));
    await tail.start();
    await tail.source.drained();
    expect(tail.source.lostBytes()).toBe(numbered(0, 100).length);
  });

  it('sends all generations in order', async () => {
    const tail = await Tailing.prepare({ once: true });
    await tail.append('a.log.2', numbered(0, 10));
    await tail.append('a.log.1', numbered(10, 10));
    await tail.append('a.log', numbered(20, 10));
    await tail.start();
    const drained = tail.source.drained();
    await tail.pass(5_000);
    await drained;
    expect(tail.taken.text()).toBe(numbered(0, 30));
  });
});

describe('status', () => {
  it('shows totals that match: bytes that were read are accepted or waiting', async () => {
    const tail = await Tailing.start();
    tail.sink.accepting = false;
    await tail.append('a.log', numbered(0, 10));
    await tail.append('b.log', numbered(0, 5));
    await tail.turn();
    tail.sink.paused = true;
    await tail.append('a.log', numbered(10, 5));
    await tail.turn();
    await tail.clock.advance(2_000);
    const status = tail.source.status();
    const [a] = status.streams.filter(({ path }) => path.endsWith('a.log'));
    expect(a).toMatchObject({
      sizeBytes: numbered(0, 15).length,
      position: numbered(0, 10).length,
      acceptedBytes: 0,
      waitingBytes: numbered(0, 15).length,
      oldestWaitingMs: 2_000,
    });
    tail.sink.paused = false;
    await tail.turn();
    tail.sink.acceptAll();
    const after = tail.source.status();
    expect(after).toMatchObject({ waitingBytes: 0, readBytes: after.acceptedBytes });
    expect(after.acceptedBytes).toBe(numbered(0, 15).length + numbered(0, 5).length);
    expect(after.oldestWaitingMs).toBeUndefined();
  });

  it('counts the waiting time from when the file was found, for a file of any age', async () => {
    const tail = await Tailing.start();
    tail.sink.accepting = false;
    const path = tail.path('old.log');
    await writeFile(path, numbered(0, 10));
    const longAgo = Number(tail.clock.nowUnixNano() / 1_000_000_000n) - 86_400;
    await utimes(path, longAgo, longAgo);
    await tail.turn();
    await tail.clock.advance(3_000);
    expect(tail.source.status().oldestWaitingMs).toBeLessThanOrEqual(3_000);
    expect(tail.source.status().oldestWaitingMs).toBeGreaterThan(0);
  });
});
