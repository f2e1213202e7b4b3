import { copyFile, rename, unlink, utimes, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from '../tailing.ts';

const NOT_READ =
  'A rotated file is not read: it was written while the collector was not running, and is compressed or matches no pattern';

/** Sets the time of a file to the time of the collector's clock. */
async function writtenNow(tail: Tailing, name: string): Promise<void> {
  const seconds = Number(tail.clock.nowUnixNano() / 1_000_000n) / 1000;
  await utimes(tail.path(name), seconds, seconds);
}

/** A collector that has read a.log in full and has stopped; a minute has passed since. */
async function stopped(globs: readonly string[] = ['a.log']): Promise<Tailing> {
  const tail = await Tailing.start({ globs });
  await tail.append('a.log', numbered(0, 20));
  await tail.turn();
  await tail.stop();
  await tail.clock.advance(60_000);
  return tail;
}

const reported = (tail: Tailing) =>
  tail.log.filter(({ msg }) => msg === NOT_READ).map(({ path, lostBytes }) => ({ path, lostBytes }));

describe('a generation that was written while the collector was down', () => {
  it('is reported with its size when it was compressed, and is counted and shown in the status', async () => {
    const tail = await stopped();
    await rename(tail.path('a.log'), tail.path('a.log.2'));
    await writeFile(tail.path('a.log.2.gz'), gzipSync(numbered(0, 20)));
    await unlink(tail.path('a.log.2'));
    await writeFile(tail.path('a.log.1.gz'), gzipSync(numbered(20, 30)));
    await tail.append('a.log', numbered(50, 5));
    for (const name of ['a.log.1.gz', 'a.log.2.gz']) await writtenNow(tail, name);
    await tail.start();
    const lostBytes = numbered(20, 30).length;
    expect(reported(tail)).toEqual([{ path: tail.path('a.log.1.gz'), lostBytes }]);
    expect(await tail.metrics.metrics()).toContain(
      `collector_tail_lost_bytes_total{reason="unread_generation"} ${lostBytes}`,
    );
    expect(tail.source.status().lostBytes).toBe(lostBytes);
    await tail.restart();
    expect(reported(tail)).toHaveLength(1);
    expect(tail.source.status().lostBytes).toBe(lostBytes);
  });

  it.each(['a.log.1', 'a-20261120.log', 'a.log.1.zst', 'a.log-20261120.xz'])(
    'is reported when it is named %s, which no pattern matches',
    async (name) => {
      const tail = await stopped();
      await writeFile(tail.path(name), numbered(20, 30));
      await writtenNow(tail, name);
      await tail.start();
      const lostBytes = name.endsWith('z') || name.endsWith('zst') ? undefined : numbered(20, 30).length;
      expect(reported(tail)).toEqual([{ path: tail.path(name), lostBytes }]);
    },
  );

  it('is reported without the part that was read, when it is a copy of the original', async () => {
    const tail = await stopped();
    await tail.append('a.log', numbered(20, 5));
    await copyFile(tail.path('a.log'), tail.path('a.log.1'));
    await writeFile(tail.path('a.log'), numbered(25, 3));
    await writtenNow(tail, 'a.log.1');
    await tail.start();
    expect(reported(tail)).toEqual([{ path: tail.path('a.log.1'), lostBytes: numbered(20, 5).length }]);
  });

  it('is not reported when it is read, was read, is excluded, or does not belong to a followed log', async () => {
    const tail = await stopped(['a.log', 'a.log.3']);
    await writeFile(tail.path('a.log.3'), numbered(60, 5));
    await writeFile(tail.path('a.log.4.gz'), gzipSync(numbered(0, 20)));
    await writeFile(tail.path('b.log.1.gz'), gzipSync(numbered(70, 5)));
    await writeFile(tail.path('a.log.bak'), numbered(0, 20));
    for (const name of ['a.log.3', 'a.log.4.gz', 'b.log.1.gz', 'a.log.bak']) await writtenNow(tail, name);
    await tail.start();
    expect(reported(tail)).toEqual([]);
    await tail.stop();
    await tail.clock.advance(60_000);
    await writeFile(tail.path('a.log.5'), numbered(80, 5));
    await writtenNow(tail, 'a.log.5');
    await tail.start({ globs: ['a.log*'], entry: { exclude: [tail.path('a.log.5')] } });
    expect(reported(tail)).toEqual([]);
  });

  it('is not reported when it was written before the last scan', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await writeFile(tail.path('a.log.1.gz'), gzipSync(numbered(20, 30)));
    await writtenNow(tail, 'a.log.1.gz');
    await tail.append('a.log', numbered(0, 20));
    await tail.turn();
    await tail.clock.advance(60_000);
    await tail.restart();
    expect(reported(tail)).toEqual([]);
  });
});
