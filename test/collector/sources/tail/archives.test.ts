import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

const run = promisify(execFile);
const ZSTD = '/usr/bin/zstd';
const NOT_INFLATED = 'Cannot inflate a rotated file: its unread bytes are not read';
const NOT_READ = 'An archive is not read: it is damaged, incomplete or too large';

/** Reads all archives. */
const ALL = { globs: ['*.log'], inflates: true, entry: { archives: 'all' } } as const;

const linesOf = (tail: Tailing) => tail.taken.text().split('\n').filter(Boolean);
const expected = (count: number) => numbered(1, count).split('\n').filter(Boolean);

/** An archive that was written this number of days ago. */
async function archive(tail: Tailing, name: string, content: string | Buffer, days = 1): Promise<void> {
  const bytes = typeof content === 'string' ? gzipSync(content) : content;
  await writeFile(tail.path(name), bytes);
  const written = new Date(Date.UTC(2020, 0, 31) - days * 86_400_000);
  await utimes(tail.path(name), written, written);
}

describe('with archives: all', () => {
  it('archives that exist at the first start are read before the log, the oldest first', async () => {
    const tail = await Tailing.prepare({ ...ALL, globs: ['app.log*'] });
    await archive(tail, 'app.log.3.gz', numbered(1, 20), 3);
    await archive(tail, 'app.log.2.gz', numbered(21, 20), 2);
    await tail.append('app.log.1', numbered(41, 20));
    await tail.append('app.log', numbered(61, 20));
    await tail.start();
    await tail.pass(10_000);
    expect(linesOf(tail)).toEqual(expected(80));
    expect(new Set(tail.taken.batches.map(({ resource }) => resource.get('log.file.path')))).toEqual(
      new Set([tail.path('app.log'), tail.path('app.log.1')]),
    );
  });

  it('each is one stream over restarts and further rotations', async () => {
    const tail = await Tailing.prepare(ALL);
    await archive(tail, 'app.log-20260101.gz', numbered(1, 20), 3);
    await archive(tail, 'app.log.1.gz', numbered(21, 20), 2);
    await tail.append('app.log', numbered(41, 20));
    await tail.start();
    await tail.pass(10_000);
    const streams = new Set(tail.taken.batches.map(({ stream }) => stream));
    expect(streams.size).toBe(3);
    await rename(tail.path('app.log.1.gz'), tail.path('app.log.2.gz'));
    await tail.pass(3_000);
    await tail.stop();
    await rename(tail.path('app.log.2.gz'), tail.path('app.log.3.gz'));
    await tail.start();
    await tail.pass(3_000);
    // Another file with the same content, as a copy to another disk is.
    await archive(tail, 'app.log.4.gz', await readFile(tail.path('app.log.3.gz')), 2);
    await rm(tail.path('app.log.3.gz'));
    await tail.restart();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(60));
    expect(tail.taken.repeatedBytes).toBe(0);
    expect(tail.messages(40)).toEqual([]);
    expect(await tail.source.explain('app.log.4.gz')).toMatchObject({
      reason: 'its content was read, or is read from another file',
    });
  });

  it('reading continues after a crash in the middle of an archive', async () => {
    const tail = await Tailing.prepare({ ...ALL, bufferBytes: 512 });
    await archive(tail, 'app.log.2.gz', numbered(1, 300), 3);
    await archive(tail, 'app.log.1.gz', numbered(301, 300), 2);
    await tail.append('app.log', numbered(601, 20));
    for (let crash = 0; crash < 3; crash++) {
      tail.sink.accepting = false;
      await tail.start();
      await tail.kill();
      await rename(tail.path(`app.log.${crash + 2}.gz`), tail.path(`app.log.${crash + 3}.gz`));
    }
    tail.sink.accepting = true;
    await tail.start();
    await tail.pass(10_000);
    expect(linesOf(tail)).toEqual(expected(620));
  });

  it('an archive of bytes that were read from the log is not read', async () => {
    const tail = await Tailing.prepare(ALL);
    await tail.append('app.log', numbered(1, 20));
    await tail.start();
    await tail.stop();
    await archive(
      tail,
      'app.log.1.gz',
      await readFile(tail.path('app.log')).then((bytes) => gzipSync(bytes)),
    );
    await rm(tail.path('app.log'));
    await tail.append('app.log', numbered(21, 20));
    await tail.start();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(40));
  });

  it('archives of a log that does not exist any more are read', async () => {
    const tail = await Tailing.prepare(ALL);
    await archive(tail, 'old.log.1.gz', numbered(1, 20));
    await tail.start();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(20));
  });

  it.each([
    ['excluded archives', { exclude: ['*.gz'] }],
    ['archives that are older than ignore_older', { ignoreOlderMs: 3_600_000 }],
    ['any archives with archives: none', { archives: 'none' as const }],
    ['any archives by default', { archives: 'unread' as const }],
  ])('does not read %s', async (_what, entry) => {
    const tail = await Tailing.prepare({ ...ALL, entry: { archives: 'all', ...entry } });
    await archive(tail, 'app.log.1.gz', numbered(1, 20));
    await tail.append('app.log', numbered(100, 1));
    await tail.start();
    await tail.pass(3_000);
    expect(linesOf(tail)).toHaveLength(1);
  });

  it('--once reads them, too', async () => {
    const tail = await Tailing.prepare({ ...ALL, once: true });
    await archive(tail, 'app.log.2.gz', numbered(1, 20), 2);
    await archive(tail, 'app.log.1.gz', numbered(21, 20));
    await tail.append('app.log', numbered(41, 20));
    await tail.start();
    await tail.pass(10_000);
    expect(linesOf(tail)).toEqual(expected(60));
  });

  it('inflates one archive at a time when their limit of disk space is reached', async () => {
    const tail = await Tailing.prepare({ ...ALL, limits: { deletedBytes: 4_000 } });
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names) await archive(tail, `${name}.log.1.gz`, numbered(1, 50, name));
    await tail.start();
    await tail.pass(20_000);
    expect(linesOf(tail)).toHaveLength(200);
    expect(tail.source.lostBytes()).toBe(0);
    expect(tail.messages(40)).toEqual([]);
  });
});

describe('an archive', () => {
  it('that is being written is read when it is complete, and not before', async () => {
    const tail = await Tailing.prepare(ALL);
    const bytes = gzipSync(numbered(1, 3_000));
    await archive(tail, 'app.log.1.gz', bytes.subarray(0, 100));
    await tail.start();
    for (let end = 100; end < bytes.length; end += 2_000) {
      await writeFile(tail.path('app.log.1.gz'), bytes.subarray(0, end));
      await tail.pass(1_000);
      expect(tail.taken.text()).toBe('');
    }
    await writeFile(tail.path('app.log.1.gz'), bytes);
    await tail.pass(5_000);
    expect(linesOf(tail)).toEqual(expected(3_000));
  });

  it('with the rest of a stream that is not complete at the start is read when it is complete', async () => {
    const tail = await Tailing.prepare({ ...ALL, entry: {} });
    await tail.append('app.log', numbered(1, 20));
    await tail.start();
    await tail.stop();
    await tail.append('app.log', numbered(21, 2_000));
    const bytes = gzipSync(await readFile(tail.path('app.log')));
    await rm(tail.path('app.log'));
    await writeFile(tail.path('app.log.1.gz'), bytes.subarray(0, bytes.length >> 1));
    await tail.start();
    await tail.pass(20_000);
    await appendFile(tail.path('app.log.1.gz'), bytes.subarray(bytes.length >> 1));
    await tail.pass(5_000);
    expect(linesOf(tail)).toEqual(expected(2_020));
    expect(tail.source.lostBytes()).toBe(0);
  });

  it.each([
    ['is damaged', (bytes: Buffer) => bytes.fill(0, 200, 300)],
    ['has a wrong checksum', (bytes: Buffer) => bytes.fill(1, bytes.length - 8, bytes.length - 4)],
    ['is incomplete', (bytes: Buffer) => bytes.subarray(0, -20)],
  ])('that %s is reported once, and counted as unread', async (_what, damage) => {
    const tail = await Tailing.prepare(ALL);
    await archive(tail, 'app.log.1.gz', damage(gzipSync(numbered(1, 2_000))));
    await tail.start();
    await tail.pass(100_000, 10_000);
    await tail.restart();
    await tail.pass(100_000, 10_000);
    expect(tail.taken.text()).toBe('');
    expect(tail.messages(40)).toEqual([NOT_INFLATED, NOT_READ]);
    expect(await tail.source.explain('app.log.1.gz')).toMatchObject({
      kind: 'not-read',
      reason: expect.stringContaining('it cannot be inflated: '),
    });
  });

  it('of several gzip members is read whole', async () => {
    const tail = await Tailing.prepare(ALL);
    const members = [numbered(1, 20), numbered(21, 300), numbered(321, 5)].map((text) => gzipSync(text));
    await archive(tail, 'app.log.1.gz', Buffer.concat(members));
    await tail.start();
    await tail.pass(3_000);
    await tail.restart();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(325));
  });

  it('whose content exceeds the limit is reported, and its content is not kept', async () => {
    const tail = await Tailing.prepare({ ...ALL, limits: { deletedBytes: 1_000_000 } });
    await archive(tail, 'app.log.1.gz', gzipSync(Buffer.alloc(20_000_000, 'a\n')));
    await tail.start();
    await tail.pass(100_000, 10_000);
    expect(tail.taken.text()).toBe('');
    expect(tail.messages(40)).toEqual([NOT_INFLATED, NOT_READ]);
    expect(
      (await readdir(join(tail.logs, '..', 'state'))).filter((name) => name.startsWith('inflated')),
    ).toEqual([]);
  });

  it('of compressed or no content is not read', async () => {
    const tail = await Tailing.prepare(ALL);
    await archive(tail, 'app.log.1.gz', gzipSync(gzipSync(numbered(1, 20))));
    await archive(tail, 'app.log.2.gz', gzipSync(''));
    await tail.start();
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe('');
  });
});

describe('a generation that is compressed while the collector runs', () => {
  /** Later than the last scan: the clock of the tests is later than that of the machine. */
  const inFuture = new Date(Date.UTC(2100, 0, 1));

  it('is read, if no scan saw it before', async () => {
    const tail = await Tailing.start({ ...ALL, entry: {} });
    await tail.append('app.log', numbered(1, 20));
    await tail.pass(3_000);
    await rename(tail.path('app.log'), tail.path('app.log.2'));
    await writeFile(tail.path('app.log.1.gz'), gzipSync(numbered(21, 20)));
    await utimes(tail.path('app.log.1.gz'), inFuture, inFuture);
    await tail.append('app.log', numbered(41, 20));
    await tail.pass(10_000);
    expect(linesOf(tail).toSorted()).toEqual(expected(60).toSorted());
    expect(tail.messages(40)).toEqual([]);
  });

  it('is not read again, if it was read under its name as text', async () => {
    const tail = await Tailing.start({ ...ALL, entry: {} });
    await tail.append('app.log', numbered(1, 20));
    await tail.pass(3_000);
    await writeFile(tail.path('app.log.1.gz'), gzipSync(await readFile(tail.path('app.log'))));
    await rm(tail.path('app.log'));
    await tail.append('app.log', numbered(21, 20));
    await tail.pass(10_000);
    expect(linesOf(tail)).toEqual(expected(40));
    expect(tail.messages(40)).toEqual([]);
  });

  it('is read although it has the same first KiB as other generations', async () => {
    const banner = `${'='.repeat(2_000)}\n`;
    const tail = await Tailing.start({ ...ALL, entry: {} });
    await tail.append('app.log', banner + numbered(1, 20));
    await tail.pass(3_000);
    await writeFile(tail.path('app.log.1.gz'), gzipSync(banner + numbered(21, 20)));
    await utimes(tail.path('app.log.1.gz'), inFuture, inFuture);
    await tail.pass(10_000);
    expect(linesOf(tail).filter((line) => !line.startsWith('='))).toEqual(expected(40));
  });
});

describe.skipIf(!existsSync(ZSTD))('a Zstandard archive (skipped without zstd)', () => {
  const compressed = async (tail: Tailing, text: string, ...options: string[]) => {
    const place = join(tail.logs, '..', 'plain');
    await writeFile(place, text);
    await run(ZSTD, ['-q', '-f', ...options, place, '-o', `${place}.zst`]);
    return readFile(`${place}.zst`);
  };

  it.each([[['-3']], [['-19']], [['--no-check']], [['-B1KiB', '-T2']]])(
    'of zstd %j is read',
    async (options) => {
      const tail = await Tailing.prepare(ALL);
      await archive(tail, 'app.log.1.zst', await compressed(tail, numbered(1, 5_000), ...options));
      await tail.start();
      await tail.pass(3_000);
      expect(linesOf(tail)).toEqual(expected(5_000));
    },
  );

  it('of several frames, short and skippable ones too, is read whole', async () => {
    const tail = await Tailing.prepare(ALL);
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const frames = [
      await compressed(tail, numbered(1, 300)),
      skippable,
      await compressed(tail, ''),
      skippable,
    ];
    for (let line = 301; line <= 310; line++) frames.push(await compressed(tail, numbered(line, 1)));
    await archive(tail, 'app.log.1.zst', Buffer.concat([...frames, skippable]));
    await tail.start();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(310));
  });

  it.each([
    ['declares a window of 2 GiB', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 1, 0, 0]), 'window'],
    [
      'repeats a byte without end',
      Buffer.concat([
        Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]),
        ...Array.from({ length: 20_000 }, () => Buffer.from([2, 0, 0x10, 0x61])),
      ]),
      'more than',
    ],
    ['is no Zstandard', Buffer.from('this is text and nothing else'), 'not Zstandard'],
  ])('that %s is reported', async (_what, bytes, reason) => {
    const tail = await Tailing.prepare({ ...ALL, limits: { deletedBytes: 10_000_000 } });
    await archive(tail, 'app.log.1.zst', bytes);
    await tail.start();
    await tail.pass(3_000);
    expect(tail.messages(40)).toEqual([NOT_INFLATED]);
    expect(tail.log.find(({ msg }) => msg === NOT_INFLATED)).toMatchObject({
      reason: expect.stringContaining(reason),
    });
  });
});

describe('a directory for rotated files', () => {
  it('that a pattern matches: a log that was moved there and compressed continues its stream', async () => {
    const tail = await Tailing.prepare({ globs: ['*.log', 'old/*'], inflates: true });
    await mkdir(tail.path('old'));
    await tail.append('app.log', numbered(1, 20));
    await tail.start();
    await tail.stop();
    await tail.append('app.log', numbered(21, 20));
    await writeFile(tail.path('old/app.log.1.gz'), gzipSync(await readFile(tail.path('app.log'))));
    await rm(tail.path('app.log'));
    await tail.append('app.log', numbered(41, 20));
    await tail.start();
    await tail.pass(5_000);
    expect(linesOf(tail).toSorted()).toEqual(expected(60).toSorted());
    expect(tail.source.lostBytes()).toBe(0);
  });
});
