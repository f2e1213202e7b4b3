import { rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

describe('a followed file', () => {
  it('is read from its beginning, and further when it grows', async () => {
    const tail = await Tailing.prepare();
    await tail.append('a.log', numbered(0, 10));
    await tail.start();
    expect(tail.taken.text()).toBe(numbered(0, 10));
    await tail.append('a.log', numbered(10, 5));
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 15));
    expect(tail.taken.streamIds).toHaveLength(1);
  });

  it('is named in the resource', async () => {
    const tail = await Tailing.prepare({
      entry: { resource: new Map([['service.name', 'shop']]), format: 'json' },
    });
    await tail.append('a.log', 'x\n');
    await tail.start();
    const [batch] = tail.taken.batches;
    expect(batch?.format).toBe('json');
    expect([...(batch?.resource ?? [])]).toEqual([
      ['host.name', 'test-host'],
      ['service.name', 'shop'],
      ['log.file.path', tail.path('a.log')],
    ]);
  });

  it('is read in pieces of the size of the buffer', async () => {
    const tail = await Tailing.prepare({ bufferBytes: 500 });
    await tail.append('a.log', numbered(0, 100));
    await tail.start();
    expect(tail.taken.text()).toBe(numbered(0, 100));
    expect(tail.taken.batches.length).toBeGreaterThan(10);
  });

  it('cuts, marks and counts a record that is too long, and continues to read', async () => {
    const tail = await Tailing.prepare();
    const text = `short\n${'x'.repeat(1024 * 1024 + 100)}\nshort again\n`;
    await tail.append('a.log', text);
    await tail.start();
    expect(tail.taken.text()).toBe(text);
    const marks = tail.taken.batches.flatMap((batch) => batch.marks.map(({ mark }) => mark));
    expect(marks).toEqual(['cut']);
    expect(await tail.metrics.metrics()).toContain('collector_source_cut_records_total{source="tail"} 1');
  });
});

describe('rename and create', () => {
  it('sends the rest of the old file, then the new one', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.append('a.log', numbered(10, 10));
    await rename(tail.path('a.log'), tail.path('old'));
    await tail.append('a.log', numbered(20, 10));
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 20));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 30));
    expect(tail.taken.streamIds).toHaveLength(2);
  });

  it('waits for a process that continues to write to the old file', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('old'));
    await tail.append('a.log', numbered(100, 10));
    for (let i = 1; i < 5; i++) {
      await tail.append('old', numbered(i * 10, 10));
      await tail.clock.advance(500);
      await tail.turn();
    }
    expect(tail.taken.text()).toBe(numbered(0, 50));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 50) + numbered(100, 10));
  });

  it('does not open the next generation before all of the last one is accepted', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    tail.sink.accepting = false;
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', numbered(10, 10));
    await tail.pass(10_000);
    expect(tail.taken.text()).toBe(numbered(0, 10));
    tail.sink.accepting = true;
    tail.sink.acceptAll();
    await tail.pass(2_000);
    expect(tail.taken.text()).toBe(numbered(0, 20));
  });

  it('keeps the order through several rotations between two scans', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.append('a.log', numbered(10, 10));
    for (let generation = 2; generation < 6; generation++) {
      for (let n = generation; n > 0; n--) {
        await rename(tail.path(`a.log.${n}`), tail.path(`a.log.${n + 1}`)).catch(() => undefined);
      }
      await rename(tail.path('a.log'), tail.path('a.log.1'));
      await tail.append('a.log', numbered(generation * 10, 10));
    }
    await tail.pass(15_000);
    expect(tail.taken.text()).toBe(numbered(0, 60));
    expect(tail.taken.streamIds).toHaveLength(5);
    expect(tail.taken.repeatedBytes).toBe(0);
  });

  it('sends old generations first when all of them are new', async () => {
    const tail = await Tailing.prepare();
    await tail.append('a.log.2', numbered(0, 10));
    await tail.append('a.log.1', numbered(10, 10));
    await tail.append('a.log', numbered(20, 10));
    await tail.start();
    await tail.pass(5_000);
    expect(tail.taken.text()).toBe(numbered(0, 30));
  });

  it('does not make files wait for each other when their names only look like rotated ones', async () => {
    const tail = await Tailing.prepare();
    await tail.append('worker.1', numbered(0, 5));
    await tail.append('worker.2', numbered(5, 5));
    await tail.start();
    expect(tail.taken.text().length).toBe(numbered(0, 10).length);
  });

  it('does not wait forever for a file with a rotated name that a process always writes to', async () => {
    const tail = await Tailing.prepare();
    await tail.append('a.log.1', numbered(0, 5));
    await tail.append('a.log', numbered(100, 5));
    await tail.start();
    for (let i = 1; i < 70; i++) {
      await tail.append('a.log.1', numbered(i * 5, 1));
      await tail.pass(1_000, 500);
    }
    expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(100, 5));
  });

  it('reads bytes that are written to a generation after it has handed over', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', numbered(10, 10));
    await tail.pass(3_000);
    await tail.append('a.log.1', 'late\n');
    await tail.turn();
    expect(tail.taken.text()).toBe(`${numbered(0, 20)}late\n`);
  });

  it('distinguishes generations with equal beginnings', async () => {
    const header = '# a header that every generation has\n'.repeat(60);
    const tail = await Tailing.start();
    await tail.append('a.log', header + numbered(0, 10));
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', header);
    await tail.pass(3_000);
    await tail.append('a.log', numbered(10, 10));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(header + numbered(0, 10) + header + numbered(10, 10));
  });

  it('reads a generation that consists of the same lines as the one before', async () => {
    const tail = await Tailing.start();
    const ticks = 'tick\n'.repeat(200);
    await tail.append('a.log', ticks);
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', 'tick\n'.repeat(100));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe('tick\n'.repeat(300));
  });

  it('waits for the rest of the last line, and sends it after idle time', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', 'one\ntw');
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', 'next\n');
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe('one\n');
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe('one\ntwnext\n');
    expect(tail.taken.batches[1]?.marks).toEqual([{ index: 0, mark: 'unterminated' }]);
  });
});

describe('deletion', () => {
  it('sends the rest of a deleted file, then the new file at its path', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    tail.sink.paused = true;
    await tail.turn();
    await unlink(tail.path('a.log'));
    await tail.append('a.log', numbered(10, 10));
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe(numbered(0, 20));
    expect(tail.sink.ended).toHaveLength(1);
  });

  it('sends the last line of a deleted file although it has no end', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', 'one\ntwo');
    await tail.turn();
    await unlink(tail.path('a.log'));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe('one\ntwo');
    expect(tail.taken.batches.at(-1)?.marks).toEqual([{ index: 0, mark: 'unterminated' }]);
    expect(tail.sink.ended).toHaveLength(1);
  });

  it('discards the file that was deleted first when deleted files exceed their limit, and reports the lost bytes', async () => {
    const tail = await Tailing.start({ limits: { deletedBytes: 1_500 } });
    await tail.append('a.log', `${'a'.repeat(999)}\n`);
    await tail.append('b.log', `${'b'.repeat(999)}\n`);
    tail.sink.paused = true;
    await tail.turn();
    await unlink(tail.path('a.log'));
    await tail.turn();
    await tail.clock.advance(10);
    await unlink(tail.path('b.log'));
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(`${'b'.repeat(999)}\n`);
    const discarded = tail.log.find(({ level }) => level === 50);
    expect(discarded).toMatchObject({ path: tail.path('a.log'), lostBytes: 1_000 });
    expect(await tail.metrics.metrics()).toContain(
      'collector_tail_lost_bytes_total{reason="deleted_limit"} 1000',
    );
  });

  it('starts a new stream when an inode is used again', async () => {
    const tail = await Tailing.start({ limits: { openFiles: 0 } });
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    // The file is not open, so the file system reuses its inode for the next one.
    await unlink(tail.path('a.log'));
    await tail.append('b.log', numbered(10, 20));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 30));
  });
});

describe('links and replacements', () => {
  it('reads a file once when it is found under two paths', async () => {
    const tail = await Tailing.prepare({ globs: ['*.log', 'a*', '*'] });
    await tail.append('a.log', numbered(0, 10));
    await symlink(tail.path('a.log'), tail.path('link.log'));
    await tail.start();
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 10));
    expect(await tail.source.explain(tail.path('link.log'))).toMatchObject({
      kind: 'not-read',
      reason: expect.stringContaining('a.log') as string,
    });
  });

  it('follows a symbolic link from one file to the next', async () => {
    const tail = await Tailing.start({ globs: ['current'] });
    await tail.append('one', numbered(0, 10));
    await tail.append('two', numbered(10, 10));
    await symlink(tail.path('one'), tail.path('current'));
    await tail.turn();
    await tail.append('one', 'last\n');
    await rm(tail.path('current'));
    await symlink(tail.path('two'), tail.path('current'));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(`${numbered(0, 10)}last\n${numbered(10, 10)}`);
  });

  it('continues in a file that replaces another with the same bytes, as editors and rsync do', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await writeFile(tail.path('.new'), numbered(0, 15));
    await rename(tail.path('.new'), tail.path('a.log'));
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 15));
    expect(tail.taken.streamIds).toHaveLength(1);
  });
});
