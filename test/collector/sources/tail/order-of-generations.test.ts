import { appendFileSync, copyFileSync, renameSync, truncateSync } from 'node:fs';
import { copyFile, rename, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

/** A rotated file whose time of the last write is this number of seconds ago. */
async function rotated(tail: Tailing, name: string, text: string, writtenAgoSeconds: number): Promise<void> {
  await writeFile(tail.path(name), text);
  const written = Date.now() / 1_000 - writtenAgoSeconds;
  await utimes(tail.path(name), written, written);
}

const BANNER = `${'='.repeat(1_100)}\n`;

/** The log at the path, with a beginning that is equal in all generations. */
const generation = (first: number) => BANNER + numbered(first, 50);

/** As copytruncate does: the copy becomes `a.log.1`, and the next generation begins in the same file. */
async function copyAndTruncate(tail: Tailing, next: string): Promise<void> {
  await copyFile(tail.path('a.log'), tail.path('a.log.1'));
  await truncate(tail.path('a.log'));
  await tail.append('a.log', next);
}

describe('a generation that is copied and truncated before any of it is read', () => {
  it('is sent first when its turn comes before the next scan', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', generation(0));
    await tail.turn();
    tail.sink.accepting = false;
    await tail.append('a.log', numbered(50, 1));
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log.2'));
    await tail.append('a.log', generation(100));
    await tail.pass(3_000);
    await copyAndTruncate(tail, generation(200));
    tail.sink.accepting = true;
    tail.sink.acceptAll();
    await tail.clock.advance(0);
    await tail.sink.idle();
    await tail.pass(10_000);
    expect(tail.taken.text()).toBe(`${generation(0)}${numbered(50, 1)}${generation(100)}${generation(200)}`);
  });

  it('is sent first when the aggregator was unreachable while its stream was open', async () => {
    const tail = await Tailing.start();
    tail.sink.paused = true;
    await tail.append('a.log', generation(0));
    await tail.turn();
    expect(tail.sink.opened).toHaveLength(1);
    await copyAndTruncate(tail, generation(100));
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(10_000);
    expect(tail.taken.text()).toBe(`${generation(0)}${generation(100)}`);
    expect(tail.taken.repeatedBytes).toBe(0);
  });
});

describe('generations that are found late', () => {
  it('are sent before younger ones that wait for their turn and were renamed in the meantime', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    tail.sink.accepting = false;
    await tail.append('a.log', numbered(10, 10));
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log-1001'));
    await tail.append('a.log', numbered(40, 10));
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log-1004'));
    await tail.append('a.log', numbered(50, 10));
    await rotated(tail, 'a.log-1002', numbered(20, 10), 20);
    await rotated(tail, 'a.log-1003', numbered(30, 10), 10);
    await tail.turn();
    tail.sink.accepting = true;
    tail.sink.acceptAll();
    await tail.pass(20_000);
    expect(tail.taken.text()).toBe(numbered(0, 60));
  });

  it('are sent before the file at the path although that was found first', async () => {
    const tail = await Tailing.prepare({ globs: ['*.log', '*.log-*'] });
    await tail.append('a.log', numbered(0, 10, 'a'));
    await tail.append('b.log', numbered(0, 10, 'b'));
    tail.once('Following a file', 'a.log', () => {
      // The directory was listed before this, and b.log has not been opened yet.
      copyFileSync(tail.path('b.log'), tail.path('b.log-1001'));
      truncateSync(tail.path('b.log'));
      appendFileSync(tail.path('b.log'), numbered(10, 10, 'b'));
    });
    await tail.start();
    await tail.pass(4_000);
    const ofB = tail.taken.text().replaceAll(/^a .*\n/gm, '');
    expect(ofB).toBe(numbered(0, 20, 'b'));
  });

  it('are not reported as lost when the copy was made after the directory was listed', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10, 'a'));
    await tail.append('b.log', numbered(0, 10, 'b'));
    await tail.turn();
    tail.sink.paused = true;
    await tail.append('b.log', numbered(10, 10, 'b'));
    renameSync(tail.path('a.log'), tail.path('a.log-1001'));
    tail.once('A followed file was renamed', 'a.log-1001', () => {
      copyFileSync(tail.path('b.log'), tail.path('b.log-1001'));
      truncateSync(tail.path('b.log'));
      appendFileSync(tail.path('b.log'), numbered(20, 10, 'b'));
    });
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(6_000);
    const ofB = tail.taken.text().replaceAll(/^a .*\n/gm, '');
    expect(ofB).toBe(numbered(0, 30, 'b'));
    expect(tail.messages(50)).toEqual([]);
  });

  it('are sent after a lost one that is older, although its old path is that of a younger one', async () => {
    const tail = await Tailing.start();
    await tail.append('b.log', numbered(0, 10, 'b'));
    await tail.append('a.log', numbered(0, 10));
    tail.sink.accepting = false;
    await tail.turn();
    renameSync(tail.path('a.log'), tail.path('a.log-20260001'));
    await tail.append('a.log', numbered(10, 10));
    await tail.turn();
    renameSync(tail.path('b.log'), tail.path('b.log-20260001'));
    await tail.append('a.log', numbered(20, 5));
    tail.once('A followed file was renamed', 'b.log-20260001', () => {
      copyFileSync(tail.path('a.log'), tail.path('a.log-20260002'));
      truncateSync(tail.path('a.log'));
      appendFileSync(tail.path('a.log'), numbered(25, 5));
    });
    tail.once('A followed file was truncated or rewritten', 'a.log', () => {
      renameSync(tail.path('a.log'), tail.path('a.log-20260003'));
      appendFileSync(tail.path('a.log'), numbered(30, 10));
    });
    await tail.turn();
    tail.sink.accepting = true;
    tail.sink.acceptAll();
    await tail.pass(8_000);
    expect(tail.taken.text().replaceAll(/^b .*\n/gm, '')).toBe(numbered(0, 40));
  });

  it('are sent at once while a younger one is being sent, because that may never hand over', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    tail.sink.paused = true;
    await tail.append('a.log', numbered(10, 10));
    const elsewhere = join(tail.logs, '..', 'rotated');
    copyFileSync(tail.path('a.log'), elsewhere);
    truncateSync(tail.path('a.log'));
    await tail.append('a.log', numbered(20, 10));
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(2_000);
    expect(tail.taken.text()).toBe(numbered(0, 10) + numbered(20, 10));
    await rename(elsewhere, tail.path('a.log-1001'));
    await tail.pass(2_000);
    expect(tail.taken.text()).toBe(numbered(0, 10) + numbered(20, 10) + numbered(10, 10));
  });
});
