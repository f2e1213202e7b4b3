import { copyFile, open, rename, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { FileCheckpoint } from '../../../../src/collector/sources/tail/files/file-checkpoint.ts';
import { checkOf } from '../../../../src/records/check.ts';
import { emptyChecksum, extendChecksum } from '../../../../src/records/running-checksum.ts';
import { mintStreamId } from '../../../../src/records/stream-id.ts';
import { recordBatch } from '../../../support/record-batches.ts';
import { numbered, Tailing } from './tailing.ts';

/** Equal in its first KiB, in its last 64 bytes and in its size; different between. */
function report(night: number): string {
  const opening = '== a paragraph of the opening that never changes, year in year out ==\n'.repeat(20);
  const figures = Array.from(
    { length: 30 },
    (_, row) => `row ${row} moved=${((night * 7919 + row * 31) % 90_000) + 10_000}\n`,
  );
  return `${opening}${figures.join('')}${'-'.repeat(80)}\n`;
}

/** Puts a whole file at a path at once. */
async function put(tail: Tailing, name: string, text: string): Promise<void> {
  await writeFile(tail.path('.new'), text);
  await rename(tail.path('.new'), tail.path(name));
}

const figures = (text: string) => text.match(/moved=/g)?.length ?? 0;
const checkpoints = (tail: Tailing) => tail.store.table<FileCheckpoint>('tail-checkpoints');

describe('files that are equal at both ends', () => {
  it('are all read', async () => {
    const tail = await Tailing.start();
    for (let night = 1; night <= 3; night++) {
      await put(tail, `night-${night}.txt`, report(night));
      await tail.turn();
    }
    for (let night = 1; night <= 3; night++)
      expect(tail.taken.text(tail.path(`night-${night}.txt`))).toBe(report(night));
  });

  it.each([true, false])(
    'are read when one is made at the path of a deleted one (collector runs: %s)',
    async (isRunning) => {
      const tail = await Tailing.start();
      await put(tail, 'again.txt', report(1));
      await tail.turn();
      for (const night of [2, 3]) {
        if (!isRunning) await tail.stop();
        await unlink(tail.path('again.txt'));
        await put(tail, 'again.txt', report(night));
        if (!isRunning) await tail.start();
        await tail.pass(4_000);
      }
      expect(figures(tail.taken.text())).toBe(90);
    },
  );

  it.each([0, 512])(
    'are read when they are equal to a deleted file in full and the path was empty (%i files held open)',
    async (openFiles) => {
      const tail = await Tailing.start({ limits: { openFiles } });
      await put(tail, 'again.txt', report(1));
      await tail.turn();
      // A read of another file closes one above the limit.
      await tail.append('other.txt', numbered(1, 5));
      await tail.turn();
      await unlink(tail.path('again.txt'));
      await tail.turn();
      await put(tail, 'again.txt', report(1));
      await tail.pass(4_000);
      expect(figures(tail.taken.text())).toBe(60);
    },
  );

  it.each([
    [0, 'a stop'],
    [512, 'a stop'],
    [0, 'a kill'],
    [512, 'a kill'],
  ])(
    'are read when they are equal to a deleted file in full (%i files held open), and come after %s',
    async (openFiles, end) => {
      const tail = await Tailing.start({ limits: { openFiles } });
      await put(tail, 'again.txt', report(1));
      await tail.turn();
      await tail.append('other.txt', numbered(1, 5));
      await tail.turn();
      await unlink(tail.path('again.txt'));
      await tail.turn();
      await (end === 'a kill' ? tail.kill() : tail.stop());
      await put(tail, 'again.txt', report(1));
      await tail.start();
      await tail.pass(4_000);
      expect(figures(tail.taken.text())).toBe(60);
    },
  );

  it.each(['deleted', 'truncated'])(
    'are read under a rotated name when only their beginning is equal to a file that was %s',
    async (kind) => {
      const tail = await Tailing.start({ bufferBytes: 700 });
      await put(tail, 'a.log', report(1));
      await tail.turn();
      await put(tail, 'a.log.1', report(2).slice(0, -300));
      if (kind === 'deleted') await unlink(tail.path('a.log'));
      else await truncate(tail.path('a.log'));
      await tail.pass(8_000);
      expect(tail.taken.text(tail.path('a.log.1'))).toBe(report(2).slice(0, -300));
    },
  );

  it.each(['runs', 'stops in between', 'is killed in between'])(
    'are read when a file is rewritten in place, and again with its first bytes (the collector %s)',
    async (kind) => {
      const tail = await Tailing.start();
      const nights = [1, 2, 1].map((night) => `night ${night}\n${report(night)}`);
      for (const text of nights) {
        await writeFile(tail.path('a.txt'), text);
        if (kind === 'runs') await tail.pass(3_000);
        else {
          if (tail.taken.batches.length > 0) await tail.start();
          await tail.pass(3_000);
          await (kind === 'stops in between' ? tail.stop() : tail.kill());
        }
      }
      if (kind !== 'runs') await tail.start();
      await tail.pass(3_000);
      expect(tail.taken.text()).toBe(nights.join(''));
    },
  );

  it('are read in full when only their beginning is equal to an earlier content of the same file', async () => {
    const tail = await Tailing.start({ bufferBytes: 700 });
    const contents = [report(1), numbered(1, 30), report(2)];
    for (const text of contents) {
      await writeFile(tail.path('a.txt'), text);
      await tail.pass(3_000);
      await tail.stop();
      if (text !== contents.at(-1)) await writeFile(tail.path('a.txt'), '');
      await tail.start();
    }
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(contents.join(''));
  });

  it('are read under a rotated name too', async () => {
    const tail = await Tailing.start();
    await put(tail, 'a.log', report(1));
    await put(tail, 'a.log.1', report(2));
    await tail.pass(3_000);
    expect(figures(tail.taken.text())).toBe(60);
  });

  it('are read when the inode of a deleted file is used again', async () => {
    const tail = await Tailing.start({ limits: { openFiles: 0 } });
    await writeFile(tail.path('a.log'), report(1));
    await tail.turn();
    await unlink(tail.path('a.log'));
    await writeFile(tail.path('a.log'), report(2));
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe(report(1) + report(2));
  });
});

describe('an inode that is reused for another file', () => {
  /** Creates files with the text under this name, until one has the inode or the attempts are used up. */
  async function writeWithInode(tail: Tailing, name: string, text: string, inode: number): Promise<void> {
    for (let attempt = 0; attempt < 50; attempt++) {
      await writeFile(tail.path(`.${attempt}`), text);
      const isFound = (await stat(tail.path(`.${attempt}`))).ino === inode;
      if (isFound || attempt === 49) return rename(tail.path(`.${attempt}`), tail.path(name));
    }
  }

  it.each([0, 512])(
    'does not continue the stream of the deleted file (%i files held open)',
    async (openFiles) => {
      const tail = await Tailing.start({ limits: { openFiles } });
      await tail.append('a.log', numbered(0, 20));
      await tail.turn();
      await tail.append('other.log', numbered(100, 5));
      await tail.turn();
      const { ino } = await stat(tail.path('a.log'));
      // As editors do: the new file begins with the bytes of the old one.
      await writeFile(tail.path('.new'), numbered(0, 30));
      await rename(tail.path('.new'), tail.path('a.log'));
      await writeWithInode(tail, 'b.log', numbered(500, 20), ino);
      await tail.pass(4_000);
      expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(0, 30));
      expect(tail.taken.text(tail.path('b.log'))).toBe(numbered(500, 20));
      expect(tail.log.map(({ msg }) => msg)).not.toContain('A followed file was renamed');
    },
  );
});

describe('equal files that were not made by a rotation', () => {
  it('are both read', async () => {
    const tail = await Tailing.start();
    await tail.append('first.log', numbered(0, 20));
    await tail.append('second.log', numbered(0, 20));
    await tail.turn();
    expect(tail.taken.text(tail.path('first.log'))).toBe(numbered(0, 20));
    expect(tail.taken.text(tail.path('second.log'))).toBe(numbered(0, 20));
  });

  it('are both read when one is an older generation with the same lines', async () => {
    const tail = await Tailing.prepare();
    await tail.append('a.log.1', 'tick\n'.repeat(100));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await tail.append('a.log', 'tick\n'.repeat(100));
    await tail.start();
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe('tick\n'.repeat(200));
  });

  it('are not read when they are backups of a followed file', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 20));
    await tail.turn();
    await copyFile(tail.path('a.log'), tail.path('a.log.bak'));
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 20));
    expect(await tail.source.explain('a.log.bak')).toMatchObject({ kind: 'not-read' });
  });
});

describe('a file that begins with all bytes of a deleted one', () => {
  const banner = 'welcome to the example program, this is its banner\n'.repeat(4);

  it.each([
    { name: 'b.log', isRunning: true },
    { name: 'b.log', isRunning: false },
    { name: 'a.log', isRunning: true },
  ])('is read as $name under its own path (collector runs: $isRunning)', async ({ name, isRunning }) => {
    const tail = await Tailing.start();
    await tail.append('a.log', banner);
    await tail.pass(6_000);
    if (!isRunning) await tail.stop();
    await unlink(tail.path('a.log'));
    if (isRunning) await tail.pass(4_000);
    await tail.append(name, `${banner}only the second says this\n`);
    if (!isRunning) await tail.start();
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(`${banner}${banner}only the second says this\n`);
    const last = tail.taken.batches.at(-1);
    expect(last?.resource.get('log.file.path')).toBe(tail.path(name));
  });

  it('is read under its own path after a rename to an unrelated name', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', 'one\n');
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('other.log'));
    await tail.append('other.log', 'two\n');
    await tail.turn();
    expect(tail.taken.text(tail.path('other.log'))).toBe('two\n');
  });
});

describe('the checksum of a stream', () => {
  /** The answer of an aggregator that has other bytes under the same stream, with an equal end. */
  function pretend(tail: Tailing, text: string): void {
    const known = tail.taken.known.bind(tail.taken);
    tail.taken.known = (stream) => {
      tail.taken.known = known;
      const checksum = extendChecksum(emptyChecksum(0), Buffer.from(text));
      const end = text.length;
      return Object.assign(known(stream), {
        end,
        contiguousEnd: end,
        check: checkOf(Buffer.from(text)),
        checksum,
      });
    };
  }
  const ends = 'c'.repeat(80);
  const line = (who: string, number: number) => `${who} ${String(number).padStart(6, '0')} ${ends}\n`;
  const lines = (who: string, from: number, count: number) =>
    Array.from({ length: count }, (_, index) => line(who, from + index)).join('');

  it('ends a stream when the aggregator has other bytes with an equal end', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', lines('x', 0, 10));
    await tail.turn();
    await tail.stop();
    await tail.append('a.log', lines('A', 10, 10));
    pretend(tail, lines('x', 0, 10) + lines('B', 10, 10));
    await tail.start();
    await tail.turn();
    expect(tail.taken.text()).toBe(lines('x', 0, 10) + lines('A', 10, 10));
    expect(tail.taken.streamIds).toHaveLength(2);
    expect(tail.messages().join()).toContain('cloned or rolled back');
  });

  it('continues a stream when the aggregator has the same bytes', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', lines('x', 0, 10));
    await tail.turn();
    await tail.stop();
    await tail.append('a.log', lines('A', 10, 10));
    const [stream = mintStreamId()] = tail.taken.streamIds;
    const more = recordBatch([Buffer.from(lines('A', 10, 5))], { stream, start: lines('x', 0, 10).length });
    tail.taken.take(more, checkOf(Buffer.from(lines('A', 10, 5))));
    pretend(tail, lines('x', 0, 10) + lines('A', 10, 5));
    await tail.start();
    await tail.turn();
    expect(tail.messages()).toEqual([]);
    expect(tail.taken.streamIds).toHaveLength(1);
    expect(tail.taken.text()).toBe(lines('x', 0, 10) + lines('A', 10, 10));
    expect(tail.taken.repeatedBytes).toBe(0);
  });

  it('covers all batches from the beginning of the file, also after a restart', async () => {
    const tail = await Tailing.start({ bufferBytes: 500 });
    await tail.append('a.log', numbered(0, 30));
    await tail.turn();
    await tail.restart();
    await tail.append('a.log', numbered(30, 30));
    await tail.turn();
    const [stored] = [...checkpoints(tail).entries()];
    await tail.stop();
    const [after] = [...checkpoints(tail).entries()];
    const crc32 = extendChecksum(emptyChecksum(0), Buffer.from(numbered(0, 60))).crc32;
    expect(stored?.value.checksumFrom).toBe(0);
    expect(after?.value.marks.at(-1)).toEqual([numbered(0, 60).length, expect.any(String), crc32]);
  });

  it('is computed for the state of a version without checksums', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 30));
    await tail.turn();
    await tail.stop();
    const stored = [...checkpoints(tail).entries()];
    await tail.store.write(() => {
      for (const { key, value } of stored) {
        const { checksumFrom: _from, birth: _birth, sizeBytes: _size, modifiedUnixMs: _time, ...old } = value;
        checkpoints(tail).put(key, { ...old, marks: old.marks.map(([at, check]) => [at, check] as const) });
      }
    });
    await tail.append('a.log', numbered(30, 1));
    await tail.start();
    await tail.stop();
    expect(tail.taken.text()).toBe(numbered(0, 31));
    const crc32 = extendChecksum(emptyChecksum(0), Buffer.from(numbered(0, 31))).crc32;
    expect([...checkpoints(tail).entries()][0]?.value.marks.at(-1)?.[2]).toBe(crc32);
  });
});

describe('a file whose end is overwritten while it is followed', () => {
  it('is sent from the last unchanged bytes', async () => {
    const tail = await Tailing.start();
    await tail.append('a.xml', '<events>\n</events>\n');
    await tail.turn();
    const events = 30;
    for (let number = 0; number < events; number++) {
      const { size } = await stat(tail.path('a.xml'));
      const file = await open(tail.path('a.xml'), 'r+');
      await file.write(`<event no="${number}"/>\n</events>\n`, size - '</events>\n'.length);
      await file.close();
      await tail.turn();
    }
    await tail.pass(3_000);
    const sent = tail.taken.text().match(/<event no="\d+"\/>\n/g) ?? [];
    expect(sent).toEqual(Array.from({ length: events }, (_, number) => `<event no="${number}"/>\n`));
    expect(tail.messages(50)).toEqual([]);
  });

  it('is sent once when it is longer before its bytes arrive', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 5));
    await tail.turn();
    const more = numbered(5, 5);
    const { size } = await stat(tail.path('a.log'));
    await truncate(tail.path('a.log'), size + more.length);
    await tail.turn();
    const file = await open(tail.path('a.log'), 'r+');
    await file.write(more, size);
    await file.close();
    await tail.turn();
    await tail.append('a.log', numbered(10, 2));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 12));
    expect(tail.messages(50)).toEqual([]);
  });
});

describe('start_at end', () => {
  it('does not apply to bytes that are written while the collector is down', async () => {
    const tail = await Tailing.prepare({ entry: { startAt: 'end' } });
    await tail.append('a.log', numbered(0, 10));
    await tail.start();
    await tail.append('a.log', numbered(10, 5));
    await tail.turn();
    await tail.stop();
    await unlink(tail.path('a.log'));
    await tail.append('a.log', numbered(100, 5));
    await tail.append('other.log', numbered(200, 5));
    await tail.start();
    await tail.pass(3_000);
    expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(10, 5) + numbered(100, 5));
    expect(tail.taken.text(tail.path('other.log'))).toBe(numbered(200, 5));
  });

  it('does not apply to files that are created after a first run without files', async () => {
    const tail = await Tailing.start({ entry: { startAt: 'end' } });
    await tail.stop();
    await tail.append('a.log', numbered(0, 5));
    await tail.start();
    expect(tail.taken.text()).toBe(numbered(0, 5));
  });

  it('applies to rotated names at the first start', async () => {
    const tail = await Tailing.prepare({ entry: { startAt: 'end' } });
    await tail.append('a.log.1', numbered(0, 10));
    await tail.append('a.log', numbered(10, 10));
    await tail.start();
    await tail.append('a.log', numbered(20, 1));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(20, 1));
  });
});

describe('a file that is gone at the start', () => {
  it.each(['deleted', 'compressed'])('is reported with the bytes that were not read: %s', async (how) => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await tail.append('a.log', numbered(0, 20));
    await tail.turn();
    tail.sink.paused = true;
    await tail.append('a.log', numbered(20, 5));
    await tail.turn();
    await tail.stop();
    let lost = numbered(20, 5).length;
    if (how === 'compressed') {
      await tail.append('a.log', numbered(25, 5));
      lost = numbered(20, 10).length;
      await writeFile(tail.path('a.log.1.gz'), gzipSync(numbered(0, 30)));
    }
    await unlink(tail.path('a.log'));
    await tail.append('a.log', numbered(100, 2));
    tail.sink.paused = false;
    await tail.start();
    expect(tail.log.filter(({ level }) => level === 50)).toMatchObject([
      { path: tail.path('a.log'), position: numbered(0, 20).length, lostBytes: lost },
    ]);
    expect(await tail.metrics.metrics()).toContain(`collector_tail_lost_bytes_total{reason="gone"} ${lost}`);
    expect(tail.source.status().streams.some(({ lostBytes }) => lostBytes === lost)).toBe(true);
    await tail.restart();
    expect(tail.messages(50)).toHaveLength(1);
  });

  it('is reported by the next run when a command has read the state before', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await tail.append('a.log', numbered(0, 20));
    await tail.turn();
    await tail.stop();
    await unlink(tail.path('a.log'));
    await tail.start({ offline: true });
    expect(tail.messages()).toEqual([]);
    await tail.restart({ offline: false });
    expect(tail.messages()).toHaveLength(1);
  });

  it('is a warning when the number of unread bytes cannot be known', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 20));
    await tail.turn();
    await tail.stop();
    await unlink(tail.path('a.log'));
    await tail.start();
    expect(tail.log.filter(({ level }) => level >= 40)).toMatchObject([
      { level: 40, path: tail.path('a.log') },
    ]);
  });
});

describe('many files', () => {
  it('are compared with few others, and are read before all of them are matched', async () => {
    const tail = await Tailing.prepare();
    const count = 600;
    for (let i = 0; i < count; i++) await tail.append(`${i}-x.log`, `${String(i).padEnd(1_100, '.')}\n`);
    let followed = 0;
    const opened: number[] = [];
    const note = tail.log.push.bind(tail.log);
    tail.log.push = (...added) => {
      followed += added.filter(({ msg }) => msg === 'Following a file').length;
      opened.push(tail.sink.opened.length);
      return note(...added);
    };
    await tail.start();
    expect(tail.taken.batches).toHaveLength(count);
    expect(followed).toBe(count);
    expect(opened.some((length, index) => length > 0 && index < count / 2)).toBe(true);
    const comparisons = async () =>
      (await tail.metrics.getSingleMetric('collector_tail_comparisons_total')?.get())?.values[0]?.value ?? -1;
    expect(await comparisons()).toBeLessThanOrEqual(count);
    await tail.restart();
    expect(tail.taken.repeatedBytes).toBe(0);
    expect(await comparisons()).toBeGreaterThan(0);
    expect(await comparisons()).toBeLessThanOrEqual(2 * count);
  }, 240_000);
});
