import { appendFile, copyFile, rename, truncate, unlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

async function copytruncate(tail: Tailing, copy = 'a.log.1'): Promise<void> {
  await copyFile(tail.path('a.log'), tail.path(copy));
  await truncate(tail.path('a.log'));
}

describe('copytruncate', () => {
  it('reads the truncated file from its beginning, and does not read the copy', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await copytruncate(tail);
    await tail.append('a.log', numbered(10, 5));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 15));
    await tail.restart();
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 15));
  });

  it('is detected although the file has grown past the old position', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await truncate(tail.path('a.log'));
    await tail.append('a.log', numbered(10, 50));
    await tail.pass(2_000);
    expect(tail.taken.text()).toBe(numbered(0, 60));
  });

  it('does not read a copy while it is being made', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 100));
    await tail.turn();
    for (const lines of [2, 20, 60, 100]) {
      await writeFile(tail.path('a.log.1'), numbered(0, lines));
      await tail.turn();
      expect(await tail.source.explain('a.log.1')).toMatchObject({
        kind: 'not-read',
        reason: expect.stringContaining('copy of') as string,
      });
    }
    await truncate(tail.path('a.log'));
    await tail.append('a.log', numbered(100, 10));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 110));
  });

  it('reads the unread rest from the copy', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    tail.sink.paused = true;
    await tail.append('a.log', numbered(10, 30));
    await copytruncate(tail);
    await tail.append('a.log', numbered(40, 5));
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe(numbered(0, 45));
    expect(tail.messages(50)).toEqual([]);
  });

  it('reads the unread rest of several rotations from known copies, in order', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    tail.sink.paused = true;
    await tail.append('a.log', numbered(10, 10));
    await copyFile(tail.path('a.log'), tail.path('a.log.1'));
    await tail.turn();
    await truncate(tail.path('a.log'));
    await tail.append('a.log', numbered(20, 10));
    await tail.turn();
    await rename(tail.path('a.log.1'), tail.path('a.log.2'));
    await copyFile(tail.path('a.log'), tail.path('a.log.1'));
    await tail.turn();
    await truncate(tail.path('a.log'));
    await tail.append('a.log', numbered(30, 10));
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(8_000);
    expect(tail.taken.text()).toBe(numbered(0, 40));
    expect(tail.taken.repeatedBytes).toBe(0);
  });

  it('counts the lost bytes when there is no copy', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    tail.sink.paused = true;
    await tail.append('a.log', numbered(10, 10));
    await tail.turn();
    await truncate(tail.path('a.log'));
    await tail.append('a.log', numbered(20, 2));
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(2_000);
    expect(tail.taken.text()).toBe(numbered(0, 10) + numbered(20, 2));
    expect(tail.log.find(({ level }) => level === 50)).toMatchObject({ lostBytes: numbered(10, 10).length });
  });

  it('reads the rest from the copy after a restart', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.stop();
    await tail.append('a.log', numbered(10, 10));
    await copytruncate(tail);
    await tail.append('a.log', numbered(20, 10));
    await tail.start();
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 30));
    expect(tail.taken.repeatedBytes).toBe(0);
  });

  it('does not read a copy that was made while the collector was not running and is shorter than what was read', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 20));
    await tail.turn();
    await copyFile(tail.path('a.log'), tail.path('a.log.1'));
    await tail.turn();
    await tail.append('a.log', numbered(20, 10));
    await tail.turn();
    await truncate(tail.path('a.log'));
    await tail.append('a.log', numbered(30, 10));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 40));
    await tail.restart();
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 40));
  });

  it('continues to read in a copy that a process writes to', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await copytruncate(tail);
    await tail.pass(3_000);
    await appendFile(tail.path('a.log.1'), 'by hand\n');
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(`${numbered(0, 10)}by hand\n`);
  });

  it('reads a file that only begins with the bytes of another', async () => {
    const header = '# the same header in every file of this program\n'.repeat(40);
    const tail = await Tailing.start();
    await tail.append('a.log', header + numbered(0, 10));
    await tail.turn();
    await tail.append('b.log', header);
    await tail.turn();
    // No rotation makes b.log of a.log: it may be the log of another program.
    expect(tail.taken.text(tail.path('b.log'))).toBe(header);
    await tail.append('b.log', numbered(100, 10));
    await tail.pass(2_000);
    expect(tail.taken.text(tail.path('b.log'))).toBe(header + numbered(100, 10));
  });

  it('is still a copy when its original is replaced at once by a longer file with the same bytes', async () => {
    const tail = await Tailing.start();
    await tail.append('app.log', numbered(0, 20));
    await tail.turn();
    await copyFile(tail.path('app.log'), tail.path('app.log.old'));
    await tail.turn();
    await writeFile(tail.path('.new'), numbered(0, 30));
    await rename(tail.path('.new'), tail.path('app.log'));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 30));
  });

  it('is read when its original is replaced by a file that does not have all its bytes', async () => {
    const tail = await Tailing.start();
    await tail.append('app.log', numbered(0, 20));
    await tail.turn();
    tail.sink.paused = true;
    await tail.append('app.log', numbered(20, 5));
    await copyFile(tail.path('app.log'), tail.path('app.log.old'));
    await tail.turn();
    await writeFile(tail.path('.new'), numbered(0, 20) + numbered(500, 10));
    await rename(tail.path('.new'), tail.path('app.log'));
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(3_000);
    expect(tail.taken.text()).toContain(numbered(20, 5));
    expect(tail.taken.text()).toContain(numbered(500, 10));
  });

  it('is still a copy when the collector is killed right after the scan, and its original is renamed', async () => {
    const tail = await Tailing.start();
    await tail.append('app.log', numbered(0, 20));
    await tail.turn();
    await copyFile(tail.path('app.log'), tail.path('app.log.old'));
    await tail.turn();
    await tail.kill();
    await rename(tail.path('app.log'), tail.path('app.log-20261120'));
    await tail.append('app.log', numbered(20, 5));
    await tail.start();
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 25));
  });

  it.each([0, 10])(
    'is not read again when its original was read further and is deleted (%i lines added to the copy)',
    async (added) => {
      const tail = await Tailing.start();
      await tail.append('app.log', numbered(0, 20));
      await tail.turn();
      await copyFile(tail.path('app.log'), tail.path('app.log.1'));
      await tail.turn();
      await tail.append('app.log', numbered(20, 10));
      await tail.turn();
      await unlink(tail.path('app.log'));
      await tail.turn();
      await tail.append('app.log.1', numbered(100, added));
      await tail.pass(3_000);
      expect(tail.taken.text()).toBe(numbered(0, 30) + numbered(100, added));
    },
  );
});
