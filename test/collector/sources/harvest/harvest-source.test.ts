import { copyFile, link, mkdir, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Checkpoints } from '../../../../src/collector/checkpoints.ts';
import { KnownUploads } from '../../../../src/collector/sources/harvest/known-uploads.ts';
import type { FileCheckpoint } from '../../../../src/collector/sources/tail/files/file-checkpoint.ts';
import { checkOf } from '../../../../src/records/check.ts';
import { mintStreamId } from '../../../../src/records/stream-id.ts';
import { openStateStore } from '../../../../src/storage/state/state-store.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { Harvesting, numbered } from './harvesting.ts';

const TEXT = numbered(0, 100);

describe('an upload', () => {
  test('is not read before it was unchanged for the configured time', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    await harvesting.write('a.log', numbered(0, 50));
    await harvesting.pass(19_000);
    await harvesting.append('a.log', numbered(50, 50));
    await harvesting.pass(19_000);
    expect(harvesting.taken.text()).toBe('');
    await harvesting.pass(2_000);
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(harvesting.has('a.log')).toBe(false);
    expect(harvesting.sink.ended).toEqual(harvesting.sink.opened);
  });

  test('is complete at once when it is renamed from an ignored name', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    await harvesting.write('a.log.part', TEXT);
    await harvesting.turn();
    await rename(harvesting.path('a.log.part'), harvesting.path('a.log'));
    await harvesting.turn();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(await harvesting.names()).toEqual([]);
  });

  test('is read to its end without a line end, and without a further wait', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    await harvesting.write('a.log', 'first\nsecond');
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe('first\nsecond');
    expect(await harvesting.names()).toEqual([]);
  });

  test('carries its path and the attributes of its entry', async () => {
    const harvesting = await Harvesting.start({ resource: { 'service.name': 'ftp' }, format: 'json' });
    await harvesting.write('a.log', '{"a":1}\n');
    await harvesting.pass();
    const [batch] = harvesting.taken.batches;
    expect(batch?.format).toBe('json');
    expect(Object.fromEntries(batch?.resource ?? [])).toEqual({
      'host.name': 'test-host',
      'service.name': 'ftp',
      'log.file.path': harvesting.path('a.log'),
    });
  });

  test('is read as syslog or plain, as its first records decide, also after a crash', async () => {
    const line = '2024-11-28T10:00:00.123456+00:00 web1 sshd[4242]: Accepted publickey\n';
    const harvesting = await Harvesting.start({ format: 'auto' });
    await harvesting.write('auth.log', line);
    await harvesting.write('app.log', 'a line\n');
    await harvesting.pass();
    expect(harvesting.taken.batches.map(({ format }) => format).toSorted()).toEqual(['plain', 'syslog']);
    await harvesting.kill();
    await harvesting.append('auth.log', 'a line\n');
    await harvesting.start();
    await harvesting.pass();
    expect(harvesting.taken.batches.slice(2).map(({ format }) => format)).toEqual(['syslog']);
  });

  test('is deleted when it is empty', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    await harvesting.write('empty.log', '');
    await harvesting.pass();
    expect(await harvesting.names()).toEqual([]);
    expect(harvesting.sink.opened).toEqual([]);
  });

  test('ends with NUL bytes: they are skipped, and it is deleted', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    await harvesting.write('a.log', `${TEXT}${'\0'.repeat(8192)}`);
    await harvesting.pass();
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(await harvesting.names()).toEqual([]);
  });

  test('is read with many others, at most 256 at the same time', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    for (let i = 0; i < 300; i++) await harvesting.write(`${i}.log`, numbered(i, 3, `file ${i}`));
    harvesting.sink.accepting = false;
    await harvesting.pass();
    expect(harvesting.sink.opened).toHaveLength(256);
    harvesting.sink.accepting = true;
    harvesting.sink.acceptAll();
    for (let i = 0; i < 3; i++) await harvesting.turn();
    expect(harvesting.taken.text().split('\n')).toHaveLength(901);
    expect(await harvesting.names()).toEqual([]);
  });
});

describe('afterwards', () => {
  test('a file is neither deleted nor moved before all of it is accepted', async () => {
    for (const after of ['delete', 'move']) {
      const harvesting = await Harvesting.start({ after });
      harvesting.sink.accepting = false;
      await harvesting.write('a.log', TEXT);
      await harvesting.pass();
      expect(harvesting.taken.text()).toBe(TEXT);
      expect(harvesting.has('a.log')).toBe(true);
      harvesting.sink.acceptAll();
      await harvesting.turn();
      expect(harvesting.has('a.log')).toBe(false);
    }
  });

  test('a file stays while its checkpoint cannot be written', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    harvesting.diskIsFull(true);
    harvesting.sink.acceptAll();
    await harvesting.turn();
    expect(harvesting.has('a.log')).toBe(true);
    harvesting.diskIsFull(false);
    await harvesting.turn();
    expect(harvesting.has('a.log')).toBe(false);
  });

  test('a moved file replaces no other file', async () => {
    const harvesting = await Harvesting.start({ after: 'move' });
    for (const tag of ['first', 'second', 'third']) {
      await harvesting.write('a.log', numbered(0, 10, tag));
      await harvesting.pass();
    }
    expect(await harvesting.names()).toEqual([]);
    expect(await harvesting.names(harvesting.done)).toEqual(['a.1.log', 'a.2.log', 'a.log']);
  });

  test('a kept file is read once, also after a restart and after months', async () => {
    const harvesting = await Harvesting.start({ after: 'keep' });
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    for (let month = 0; month < 3; month++) {
      await harvesting.clock.advance(15 * 24 * 3_600_000);
      await harvesting.turn();
      await harvesting.stop();
      await harvesting.start();
      await harvesting.pass();
    }
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(harvesting.taken.streamIds).toHaveLength(1);
    expect(harvesting.has('a.log')).toBe(true);
  });

  test('an aggregator does not learn whether an ignored file exists', async () => {
    const harvesting = await Harvesting.start({ after: 'keep' });
    await harvesting.write('.hidden', TEXT);
    const explain = (name: string) => harvesting.source.explain(harvesting.path(name), 'aggregator');
    const existing = await explain('.hidden');
    expect(existing).toMatchObject({ kind: 'not-read', reason: expect.stringContaining('is ignored') });
    expect(await explain('.missing')).toMatchObject({ reason: (existing as { reason?: string }).reason });
    expect(await explain('missing.log')).toMatchObject({ reason: expect.stringContaining('ENOENT') });
  });

  test('a failed move is reported and tried again', async () => {
    const harvesting = await Harvesting.start({ after: 'move' });
    // A file where the directory must be.
    await writeFile(harvesting.done, 'in the way');
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    expect(harvesting.has('a.log')).toBe(true);
    expect(harvesting.messages(50)).toEqual(['Cannot delete or move an uploaded file; trying again']);
    expect(await harvesting.count('collector_harvest_settle_failures_total')).toBe(1);
    expect(await harvesting.source.explain(harvesting.path('a.log'))).toMatchObject({
      reason: 'it is accepted, and cannot be deleted or moved',
    });
    await rm(harvesting.done);
    await harvesting.pass(30_000);
    expect(await harvesting.names(harvesting.done)).toEqual(['a.log']);
    expect(harvesting.taken.text()).toBe(TEXT);
  });

  test('a file that was written to after it was read is not deleted before the rest is read', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', numbered(0, 50));
    await harvesting.pass();
    await harvesting.append('a.log', numbered(50, 50));
    harvesting.sink.accepting = true;
    harvesting.sink.acceptAll();
    await harvesting.turn();
    expect(harvesting.has('a.log')).toBe(true);
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(harvesting.taken.streamIds).toHaveLength(1);
    expect(harvesting.has('a.log')).toBe(false);
  });
});

describe('an interrupted upload', () => {
  test('that is resumed in place is one file without doubled lines', async () => {
    for (const after of ['keep', 'delete']) {
      const harvesting = await Harvesting.start({ after });
      harvesting.sink.accepting = after === 'keep';
      await harvesting.write('a.log', numbered(0, 40));
      await harvesting.pass();
      await harvesting.append('a.log', numbered(40, 60));
      harvesting.sink.accepting = true;
      harvesting.sink.acceptAll();
      await harvesting.pass();
      expect(harvesting.taken.text()).toBe(TEXT);
      expect(harvesting.taken.streamIds).toHaveLength(1);
    }
  });

  test('that is uploaded again from its beginning is one file without doubled lines', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    await harvesting.write('a.log', numbered(0, 40));
    await harvesting.pass();
    expect(harvesting.has('a.log')).toBe(false);
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(harvesting.has('a.log')).toBe(false);
  });
});

describe('a second upload of the same bytes', () => {
  test('is not read, and is removed, under the same name and another one', async () => {
    for (const after of ['delete', 'move']) {
      const harvesting = await Harvesting.start({ after });
      for (const name of ['a.log', 'a.log', 'b.log']) {
        await harvesting.write(name, TEXT);
        await harvesting.pass();
        expect(await harvesting.names()).toEqual([]);
      }
      expect(harvesting.taken.text()).toBe(TEXT);
      expect(await harvesting.count('collector_harvest_repeated_files_total')).toBe(2);
    }
  });

  test('is not read when both arrive at the same time', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', TEXT);
    await harvesting.write('b.log', TEXT);
    await harvesting.pass();
    expect(await harvesting.names()).toEqual(['a.log', 'b.log']);
    harvesting.sink.acceptAll();
    await harvesting.turn();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(await harvesting.names()).toEqual([]);
  });

  test('is not read after a restart', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    await harvesting.stop();
    await harvesting.write('c.log', TEXT);
    await harvesting.start();
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(await harvesting.names()).toEqual([]);
  });

  test('is kept beside the first, and read once after a restart', async () => {
    const harvesting = await Harvesting.start({ after: 'keep' });
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    await copyFile(harvesting.path('a.log'), harvesting.path('b.log'));
    await harvesting.pass();
    await harvesting.stop();
    await harvesting.start();
    await harvesting.pass();
    await harvesting.append('b.log', numbered(100, 5));
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT + numbered(100, 5));
  });
});

describe('a file with other content', () => {
  test('under the same name is a new file, however much of its beginning is the same', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    const other = TEXT.replace('number 99', 'number xx');
    await harvesting.write('a.log', other);
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT + other);
    expect(harvesting.taken.streamIds).toHaveLength(2);
  });

  test('that replaces a file before its deletion is read, and the new file is not deleted unread', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    const times = await stat(harvesting.path('a.log'));
    const other = TEXT.replace('number 50', 'number xx');
    await harvesting.write('a.log', other);
    await utimes(harvesting.path('a.log'), times.atime, times.mtime);
    harvesting.sink.accepting = true;
    harvesting.sink.acceptAll();
    await harvesting.turn();
    expect(harvesting.has('a.log')).toBe(true);
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT + other);
    expect(harvesting.has('a.log')).toBe(false);
  });

  test('is read although another program deletes it meanwhile', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.paused = true;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    await unlink(harvesting.path('a.log'));
    harvesting.sink.paused = false;
    await harvesting.turn();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(harvesting.source.lostBytes()).toBe(0);
  });

  test('that is gone at the start before it was read counts as lost, once', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.paused = true;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    await harvesting.stop();
    await unlink(harvesting.path('a.log'));
    await harvesting.start();
    await harvesting.turn();
    expect(harvesting.source.lostBytes()).toBe(TEXT.length);
    await harvesting.stop();
    await harvesting.start();
    expect(harvesting.source.lostBytes()).toBe(0);
  });
});

describe('after a crash', () => {
  test('an upload continues at its position', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    await harvesting.kill();
    harvesting.sink.accepting = true;
    await harvesting.start();
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(harvesting.taken.repeatedBytes).toBe(0);
    expect(await harvesting.names()).toEqual([]);
  });

  test('between the acceptance and the deletion, only the deletion is repeated', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    harvesting.diskIsFull(true);
    harvesting.sink.acceptAll();
    await harvesting.kill();
    expect(harvesting.has('a.log')).toBe(true);
    harvesting.sink.accepting = true;
    await harvesting.start();
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(harvesting.taken.repeatedBytes).toBe(0);
    expect(harvesting.has('a.log')).toBe(false);
  });

  test('between the deletion and the next write of the state, the same bytes are known', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    harvesting.sink.acceptAll();
    await harvesting.turn();
    expect(harvesting.has('a.log')).toBe(false);
    await harvesting.kill();
    await harvesting.write('b.log', TEXT);
    harvesting.sink.accepting = true;
    await harvesting.start();
    await harvesting.pass();
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(harvesting.source.lostBytes()).toBe(0);
    expect(await harvesting.names()).toEqual([]);
  });

  test('between the two steps of a move, the file is moved once', async () => {
    const harvesting = await Harvesting.start({ after: 'move' });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    await harvesting.kill();
    await mkdir(harvesting.done);
    await link(harvesting.path('a.log'), join(harvesting.done, 'a.log'));
    harvesting.sink.accepting = true;
    await harvesting.start();
    await harvesting.pass();
    expect(await harvesting.names()).toEqual([]);
    expect(await harvesting.names(harvesting.done)).toEqual(['a.log']);
    expect(harvesting.taken.text()).toBe(TEXT);
  });
});

describe('a rejected file', () => {
  test('is moved to the error directory when it is compressed', async () => {
    const errors = join(await temporaryDirectory(), 'errors');
    const harvesting = await Harvesting.start({ after: 'delete', error_directory: errors });
    await harvesting.write('a.log.gz', 'not really');
    await harvesting.write('b.log', Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3]));
    await harvesting.write('c.log', TEXT);
    await harvesting.pass();
    expect(await harvesting.names()).toEqual([]);
    expect(await harvesting.names(errors)).toEqual(['a.log.gz', 'b.log']);
    expect(harvesting.taken.text()).toBe(TEXT);
  });

  test('stays in its place without an error directory, and is reported once', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    await harvesting.write('a.log.gz', 'not really');
    for (let i = 0; i < 3; i++) await harvesting.pass(60_000);
    expect(await harvesting.names()).toEqual(['a.log.gz']);
    expect(harvesting.messages()).toEqual(['An uploaded file is not read: it is compressed (by its name)']);
  });

  test('is moved to the error directory when the aggregator rejects it', async () => {
    const errors = join(await temporaryDirectory(), 'errors');
    const harvesting = await Harvesting.start({ after: 'delete', error_directory: errors });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    harvesting.sink.refuseAll('the stream has another owner');
    await harvesting.turn();
    expect(await harvesting.names(errors)).toEqual(['a.log']);
    expect(harvesting.messages()).toContain(
      'An uploaded file is not read: the aggregator rejected it: the stream has another owner',
    );
  });

  test('stays in its place without an error directory when the aggregator rejects it', async () => {
    const harvesting = await Harvesting.start({ after: 'delete' });
    harvesting.sink.accepting = false;
    await harvesting.write('a.log', TEXT);
    await harvesting.pass();
    harvesting.sink.refuseAll('the stream has another owner');
    await harvesting.pass();
    expect(await harvesting.names()).toEqual(['a.log']);
    expect(harvesting.source.left()).toEqual([
      {
        path: harvesting.path('a.log'),
        bytes: TEXT.length,
        reason: 'refused',
        refusal: 'the stream has another owner',
      },
    ]);
  });
});

test('rejected uploads do not keep others from being read', async () => {
  const harvesting = await Harvesting.start({ after: 'delete' });
  harvesting.sink.accepting = false;
  for (let i = 0; i < 260; i++) await harvesting.write(`${i}.log`, `rejected ${i}\n`);
  await harvesting.pass();
  harvesting.sink.refuseAll('no room');
  harvesting.sink.accepting = true;
  await harvesting.write('new.log', TEXT);
  await harvesting.pass();
  expect(harvesting.taken.text(harvesting.path('new.log'))).toBe(TEXT);
});

test('forgets the oldest uploads beyond its limit, and each after 30 days without its file', async () => {
  const store = await openStateStore(join(await temporaryDirectory(), 'state'));
  onTestFinished(() => store.close());
  const clock = new FakeClock();
  const options = { store, table: 'harvest-checkpoints', clock, onFailure: () => {} };
  const known = new KnownUploads(new Checkpoints<FileCheckpoint>(options), 3);
  const [one, two, three, four] = Array.from({ length: 4 }, mintStreamId);
  if (one === undefined || two === undefined || three === undefined || four === undefined) throw new Error();
  const names = () => Array.from(known.dormant.values(), ({ checkpoint }) => checkpoint.path);
  known.add(one, finished('/1'));
  known.age(3_600_000, new Set());
  for (const [id, path] of [
    [two, '/2'],
    [three, '/3'],
    [four, '/4'],
  ] as const)
    known.add(id, finished(path));
  known.age(1_000, new Set());
  expect(names()).toEqual(['/2', '/3', '/4']);
  known.age(30 * 24 * 3_600_000, new Set([three]));
  expect(names()).toEqual(['/3']);
});

function finished(path: string): FileCheckpoint {
  return {
    ...{
      path,
      home: path,
      lineage: path,
      device: '1',
      inode: path,
      start: 0,
      marks: [[5, checkOf(Buffer.from('five5'))]],
    },
    ...{ prefix: { length: 0, hash: '' }, finished: true, yielded: false, copyOf: null, absentMs: 0 },
  };
}

describe('a run that ends by itself', () => {
  test('reads the complete uploads, waits until they are accepted, and settles them', async () => {
    const harvesting = await Harvesting.prepare({ after: 'delete', complete: '1h' });
    await harvesting.write('a.log', TEXT);
    harvesting.clock.jumpWallClock(Date.now() + 3_600_000 - 1_700_000_000_000);
    harvesting.sink.accepting = false;
    await harvesting.start({ once: true });
    let isDrained = false;
    const drained = harvesting.source.drained().then(() => {
      isDrained = true;
    });
    expect(harvesting.taken.text()).toBe(TEXT);
    await harvesting.clock.advance(0);
    expect(isDrained).toBe(false);
    harvesting.sink.acceptAll();
    await drained;
    expect(await harvesting.names()).toEqual([]);
    expect(harvesting.source.left()).toEqual([]);
    expect(harvesting.source.accepted()).toEqual({ records: 100, bytes: TEXT.length });
  });

  test('waits for a file that was written a moment ago, and leaves one that is still written', async () => {
    const harvesting = await Harvesting.prepare({ after: 'delete' });
    harvesting.clock.jumpWallClock(Date.now() - 1_700_000_000_000);
    await harvesting.write('a.log', TEXT);
    await harvesting.write('b.log', TEXT);
    await harvesting.start({ once: true });
    const drained = harvesting.source.drained();
    await harvesting.append('b.log', 'more\n');
    await harvesting.write('later.log', 'later\n');
    await harvesting.clock.advance(20_000);
    await harvesting.turn();
    await drained;
    expect(harvesting.taken.text()).toBe(TEXT);
    expect(harvesting.source.left()).toEqual([{ path: harvesting.path('b.log'), reason: 'incomplete' }]);
    expect(await harvesting.names()).toEqual(['b.log', 'later.log']);
  });
});
