import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

const run = promisify(execFile);
const LOGROTATE = '/usr/sbin/logrotate';
const INFLATES = { globs: ['*.log'], inflates: true };

const linesOf = (tail: Tailing) => tail.taken.text().split('\n').filter(Boolean);
const expected = (count: number) => numbered(1, count).split('\n').filter(Boolean);

/** A time after the last scan: the clock of the tests is later than that of the machine. */
function inFuture(generation: number): Date {
  return new Date(Date.UTC(2100, 0, 1) - generation * 60_000);
}

/** A Zstandard frame of one raw block. */
function zstdOf(content: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0, 0, 0]);
  header.writeUIntLE((content.length << 3) | 1, 6, 3);
  return Buffer.concat([header, content]);
}

/** What a rotation with compression leaves. */
async function compress(tail: Tailing, name: string, to: string, content?: Buffer): Promise<void> {
  const bytes = await readFile(tail.path(name));
  await writeFile(tail.path(to), content ?? gzipSync(bytes));
  await rm(tail.path(name));
}

describe('a log that was compressed while the collector was down', () => {
  it('is the file of its stream: only its unread rest is sent', async () => {
    const tail = await Tailing.prepare(INFLATES);
    await tail.append('app.log', numbered(1, 20));
    await tail.start();
    await tail.stop();
    await tail.append('app.log', numbered(21, 20));
    await compress(tail, 'app.log', 'app.log.1.gz');
    await writeFile(tail.path('app.log'), numbered(41, 5));
    await tail.start();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(45));
    expect(new Set(tail.taken.batches.map(({ resource }) => resource.get('log.file.path')))).toEqual(
      new Set([tail.path('app.log')]),
    );
    expect(tail.source.lostBytes()).toBe(0);
    await tail.restart();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(45));
    expect(tail.taken.repeatedBytes).toBe(0);
    expect(tail.messages(40)).toEqual([]);
  });

  it('continues after a crash in the middle of the inflated content', async () => {
    const tail = await Tailing.prepare({ ...INFLATES, bufferBytes: 512 });
    await tail.append('app.log', numbered(1, 20));
    await tail.start();
    await tail.stop();
    await tail.append('app.log', numbered(21, 500));
    await compress(tail, 'app.log', 'app.log.1.gz');
    tail.sink.accepting = false;
    await tail.start();
    await tail.kill();
    tail.sink.accepting = true;
    await tail.start();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(520));
  });

  it('is left alone if the archive is damaged, and that is logged and counted', async () => {
    const tail = await Tailing.prepare(INFLATES);
    await tail.append('app.log', numbered(1, 2_000));
    await tail.start();
    await tail.stop();
    await tail.append('app.log', numbered(2_001, 2_000));
    const archive = gzipSync(await readFile(tail.path('app.log')));
    archive.fill(0, archive.length >> 1, (archive.length >> 1) + 200);
    await compress(tail, 'app.log', 'app.log.1.gz', archive);
    await tail.start();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(2_000));
    expect(tail.messages(40)).toContain('Cannot inflate a rotated file: its unread bytes are not read');
    const names = await readdir(join(tail.logs, '..', 'state'));
    expect(names.filter((name) => name.startsWith('inflated-'))).toEqual([]);
  });

  it('is read from a Zstandard file, and not from a damaged one', async () => {
    for (const isDamaged of [false, true]) {
      const tail = await Tailing.prepare(INFLATES);
      await tail.append('app.log', numbered(1, 20));
      await tail.start();
      await tail.stop();
      await tail.append('app.log', numbered(21, 20));
      const archive = zstdOf(await readFile(tail.path('app.log')));
      await compress(tail, 'app.log', 'app.log.1.zst', isDamaged ? archive.subarray(0, -100) : archive);
      await tail.start();
      await tail.pass(3_000);
      expect(linesOf(tail)).toEqual(expected(isDamaged ? 20 : 40));
      expect(tail.messages(40).some((message) => message.startsWith('Cannot inflate'))).toBe(isDamaged);
    }
  });

  it('is read with all generations that were written in the meantime', async () => {
    const tail = await Tailing.prepare(INFLATES);
    await tail.append('app.log', numbered(1, 20));
    await tail.start();
    await tail.stop();
    for (const generation of [3, 2, 1]) {
      await tail.append('app.log', numbered((4 - generation) * 20 + 1, 20));
      await compress(tail, 'app.log', `app.log.${generation}.gz`);
      await utimes(tail.path(`app.log.${generation}.gz`), inFuture(generation), inFuture(generation));
    }
    await writeFile(tail.path('app.log'), numbered(81, 5));
    for (let start = 0; start < 2; start++) {
      await tail.start();
      await tail.pass(3_000);
      expect(linesOf(tail).toSorted()).toEqual(expected(85).toSorted());
      await tail.stop();
    }
  });

  it('is not read again if all of it was read', async () => {
    const tail = await Tailing.prepare(INFLATES);
    await tail.append('app.log', numbered(1, 20));
    await tail.start();
    await tail.stop();
    await compress(tail, 'app.log', 'app.log.1.gz');
    await tail.start();
    await tail.pass(3_000);
    expect(linesOf(tail)).toEqual(expected(20));
  });
});

describe.skipIf(!existsSync(LOGROTATE))('logrotate (skipped without it)', { timeout: 60_000 }, () => {
  it.each([
    ['compress', ''],
    ['compress', 'delaycompress'],
    ['compress', 'dateext dateformat -%Y%m%d-ROUND'],
    ['compress', 'copytruncate'],
    ['compress', 'copytruncate delaycompress'],
  ])('%s %s: each line once, running and down', async (...options) => {
    // Copies are found by their names, which a pattern must match.
    const globs = options[1]?.includes('copytruncate') ? ['app.log*'] : ['*.log'];
    const tail = await Tailing.prepare({ globs, inflates: true });
    const base = join(tail.logs, '..');
    const lines = options
      .join(' ')
      .replace(' dateformat', '\ndateformat')
      .split(/ (?=copy|delay|date)/);
    const create = options[1]?.includes('copytruncate') ? '' : 'create';
    const configure = (round: number) =>
      writeFile(
        join(base, 'rotate.conf'),
        `${tail.path('app.log')} {\n rotate 20\n missingok\n ${create}\n ${lines.join('\n ').replace('ROUND', String(round))}\n}\n`,
        { mode: 0o600 },
      );
    let count = 0;
    const write = async (lineCount: number) => {
      await tail.append('app.log', numbered(count + 1, lineCount));
      count += lineCount;
    };
    await write(20);
    await tail.start();
    for (let round = 0; round < 4; round++) {
      const isDown = round % 2 === 0;
      if (isDown) await tail.stop();
      await write(20);
      if (!isDown) await tail.turn();
      await configure(round);
      await run(LOGROTATE, ['-f', '-s', join(base, 'rotate.state'), join(base, 'rotate.conf')]);
      await write(20);
      if (isDown) await tail.start();
      await tail.pass(3_000);
    }
    expect(linesOf(tail).toSorted()).toEqual(expected(count).toSorted());
    expect(tail.taken.repeatedBytes).toBe(0);
  });
});
