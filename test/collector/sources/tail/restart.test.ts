import { copyFileSync, truncateSync } from 'node:fs';
import { appendFile, copyFile, rename, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { FileCheckpoint } from '../../../../src/collector/sources/tail/files/file-checkpoint.ts';
import { checkOf } from '../../../../src/records/check.ts';
import { mintStreamId } from '../../../../src/records/stream-id.ts';
import { recordBatch } from '../../../support/record-batches.ts';
import { numbered, Tailing } from './tailing.ts';

describe('a restart', () => {
  it('continues at the last position', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.stop();
    await tail.append('a.log', numbered(10, 10));
    await tail.start();
    expect(tail.taken.text()).toBe(numbered(0, 20));
    expect(tail.taken.repeatedBytes).toBe(0);
    expect(tail.taken.streamIds).toHaveLength(1);
  });

  it('sends no record again although its checkpoint is older than the accepted position', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    tail.sink.accepting = false;
    await tail.append('a.log', numbered(10, 10));
    await tail.turn();
    await tail.restart();
    await tail.append('a.log', numbered(20, 10));
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 30));
    expect(tail.taken.repeatedBytes).toBe(0);
  });

  it('finds a renamed file before it reads the new file at its path', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.stop();
    await tail.append('a.log', numbered(10, 10));
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', numbered(20, 10));
    await rename(tail.path('a.log.1'), tail.path('a.log.2'));
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', numbered(30, 10));
    await tail.start();
    await tail.pass(5_000);
    expect(tail.taken.text()).toBe(numbered(0, 40));
    expect(tail.taken.repeatedBytes).toBe(0);
  });

  it('finds a file that waited for its turn when the collector was killed, and has a name now that no pattern matches', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await tail.append('a.log', numbered(0, 5));
    await tail.turn();
    tail.sink.accepting = false;
    await tail.append('a.log', numbered(5, 5));
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', numbered(10, 5));
    await tail.turn();
    await tail.kill();
    await rename(tail.path('a.log'), tail.path('a.log.0'));
    await tail.start();
    tail.sink.accepting = true;
    tail.sink.acceptAll();
    await tail.pass(10_000);
    expect(tail.taken.text()).toBe(numbered(0, 15));
  });

  it('finds a file that was renamed to a name that no pattern matches', async () => {
    const tail = await Tailing.start({ globs: ['a.log'] });
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.stop();
    await tail.append('a.log', numbered(10, 10));
    await rename(tail.path('a.log'), tail.path('old'));
    await tail.append('a.log', numbered(20, 10));
    await tail.start();
    await tail.pass(5_000);
    expect(tail.taken.text()).toBe(numbered(0, 30));
  });

  it('recognizes files with new inodes by their content', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.stop();
    await copyFile(tail.path('a.log'), tail.path('new'));
    await rename(tail.path('new'), tail.path('a.log'));
    await tail.append('a.log', numbered(10, 10));
    await tail.start();
    expect(tail.taken.text()).toBe(numbered(0, 20));
    expect(tail.taken.streamIds).toHaveLength(1);
  });

  it('starts a new stream for a file that was deleted and created again', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.stop();
    await unlink(tail.path('a.log'));
    await tail.append('a.log', numbered(10, 30));
    await tail.start();
    expect(tail.taken.text()).toBe(numbered(0, 40));
    expect(tail.taken.streamIds).toHaveLength(2);
  });

  it('detects a file that was truncated and has grown past the old position', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.stop();
    await truncate(tail.path('a.log'));
    await tail.append('a.log', numbered(10, 30));
    await tail.start();
    await tail.pass(2_000);
    expect(tail.taken.text()).toBe(numbered(0, 40));
  });

  it('does not confuse short files, and does not send them again', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', 'short\n');
    await tail.append('b.log', 'short\n');
    await tail.turn();
    expect(tail.taken.text()).toBe('short\nshort\n');
    await tail.restart();
    await tail.append('a.log', 'more\n');
    await tail.turn();
    expect(tail.taken.text()).toBe('short\nshort\nmore\n');
  });

  it('does not wait for files that have handed over before', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await rename(tail.path('a.log'), tail.path('a.log.1'));
    await tail.append('a.log', numbered(10, 10));
    await tail.pass(3_000);
    await tail.stop();
    await tail.append('a.log', numbered(20, 10));
    await tail.start();
    // Without waiting for anything.
    expect(tail.taken.text()).toBe(numbered(0, 30));
  });
});

describe('checkpoints', () => {
  const checkpoints = (tail: Tailing) => tail.store.table<FileCheckpoint>('tail-checkpoints');

  it('do not depend on device numbers', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.append('short.log', 'short\n');
    await tail.turn();
    await tail.stop();
    const before = [...checkpoints(tail).entries()];
    await tail.store.write(() => {
      for (const { key, value } of before) {
        checkpoints(tail).put(key, { ...value, device: '4711' });
      }
    });
    await tail.append('a.log', numbered(10, 1));
    await tail.start();
    expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(0, 11));
    expect(tail.taken.text(tail.path('short.log'))).toBe('short\n');
  });

  it('are on disk before the first byte is read', async () => {
    const tail = await Tailing.start();
    tail.diskIsFull(true);
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    expect(tail.sink.opened).toEqual([]);
    expect(tail.messages(50).join()).toContain('Cannot write checkpoints');
    tail.diskIsFull(false);
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 10));
  });

  it('are removed after 30 days of running time without the file', async () => {
    const dayMs = 86_400_000;
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await unlink(tail.path('a.log'));
    await tail.pass(3_000);
    const count = () => [...checkpoints(tail).entries()].length;
    tail.clock.jumpWallClock(400 * dayMs);
    for (let day = 0; day < 29; day++) {
      await tail.clock.advance(dayMs);
      await tail.turn();
    }
    await tail.restart();
    expect(count()).toBe(1);
    await tail.clock.advance(2 * dayMs);
    await tail.turn();
    await tail.stop();
    expect(count()).toBe(0);
  });
});

describe('bytes that do not match a checkpoint', () => {
  it('end the stream when the aggregator has other bytes, and start another at the local checkpoint', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    const [old = mintStreamId()] = tail.taken.streamIds;
    await tail.stop();
    // A clone of this state has continued with other bytes.
    const data = Buffer.from('what another machine wrote, long enough for a check of it to mean something\n');
    const { end } = tail.taken.known(old);
    tail.taken.take(
      recordBatch([data], { stream: old, start: end }),
      checkOf(Buffer.concat([Buffer.from(numbered(0, 10)), data])),
    );
    tail.taken.batches.length = 1;
    await tail.append('a.log', numbered(10, 10));
    await tail.start();
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 20));
    expect(tail.taken.streamIds).toHaveLength(2);
    expect(tail.messages().join()).toContain('cloned or rolled back');
    expect(tail.taken.batches.at(-1)?.start).toBe(numbered(0, 10).length);
    await tail.restart();
    expect(tail.taken.text()).toBe(numbered(0, 20));
  });

  it('do not end the stream when the file was truncated at that moment: it continues in the copy', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 30));
    await tail.turn();
    tail.sink.accepting = false;
    await tail.append('a.log', numbered(30, 10));
    await tail.turn();
    await tail.stop();
    tail.sink.accepting = true;
    // Between the scan and the answer of the aggregator.
    const known = tail.taken.known.bind(tail.taken);
    tail.taken.known = (id) => {
      copyFileSync(tail.path('a.log'), tail.path('a.log.1'));
      truncateSync(tail.path('a.log'));
      tail.taken.known = known;
      return known(id);
    };
    await tail.start();
    await tail.append('a.log', numbered(40, 10));
    await tail.pass(4_000);
    expect(tail.taken.text()).toBe(numbered(0, 50));
    expect(tail.messages().join()).not.toContain('cloned or rolled back');
  });

  it('start a new stream at the last unchanged position after a power loss', async () => {
    const tail = await Tailing.start();
    for (let i = 0; i < 5; i++) {
      await tail.append('a.log', numbered(i * 10, 10));
      await tail.turn();
    }
    await tail.stop();
    // The file has lost its end, and other bytes are written there now.
    await truncate(tail.path('a.log'), numbered(0, 37).length);
    await tail.append('a.log', 'after the power loss\n');
    await tail.start();
    const after = `${numbered(30, 7)}after the power loss\n`;
    expect(tail.taken.text()).toBe(numbered(0, 50) + after);
    expect(tail.taken.streamIds).toHaveLength(2);
    expect(tail.messages().join()).toContain('has lost bytes');
    await tail.append('a.log', 'more\n');
    await tail.restart();
    expect(tail.taken.text()).toBe(`${numbered(0, 50)}${after}more\n`);
  });

  it('start a new stream when the bytes before the position have changed and the size has not', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 20));
    await tail.turn();
    await tail.append('a.log', numbered(20, 10));
    await tail.turn();
    await tail.stop();
    await truncate(tail.path('a.log'), numbered(0, 25).length);
    await tail.append('a.log', '\0'.repeat(numbered(25, 6).length));
    await tail.start();
    await tail.pass(6_000);
    expect(tail.taken.text().startsWith(numbered(0, 30) + numbered(20, 5))).toBe(true);
  });
});

describe('a new call', () => {
  it('continues at the end that the aggregator has', async () => {
    const tail = await Tailing.start();
    tail.sink.accepting = false;
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    await tail.append('a.log', numbered(10, 10));
    await tail.sink.reconnect();
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 20));
    expect(tail.taken.repeatedBytes).toBe(0);
    expect(tail.source.status().acceptedBytes).toBeGreaterThanOrEqual(numbered(0, 10).length);
  });

  it('reads bytes again that were not accepted when the aggregator does not know the stream', async () => {
    const tail = await Tailing.start();
    tail.sink.accepting = false;
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    tail.taken.known = () => ({ end: 0, check: undefined, contiguousEnd: 0 });
    await tail.sink.reconnect();
    await tail.turn();
    expect(tail.taken.repeatedBytes).toBe(numbered(0, 10).length);
  });

  it('does not go back before its checkpoint when another aggregator has fewer bytes', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 10));
    await tail.turn();
    const [stream] = tail.taken.streamIds;
    const early = numbered(0, 5);
    tail.taken.known = () => ({
      end: early.length,
      check: checkOf(Buffer.from(early)),
      contiguousEnd: early.length,
    });
    await tail.sink.reconnect();
    await tail.turn();
    expect(tail.taken.repeatedBytes).toBe(0);
    expect(tail.taken.streamIds).toEqual([stream]);
  });
});

describe('start_at and ignore_older', () => {
  it('start at the end of existing files, and at the beginning of later ones', async () => {
    const tail = await Tailing.prepare({ entry: { startAt: 'end' } });
    await tail.append('a.log', numbered(0, 10));
    await tail.start();
    await tail.append('a.log', numbered(10, 5));
    await tail.append('b.log', 'b from the beginning\n');
    await tail.turn();
    expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(10, 5));
    expect(tail.taken.text(tail.path('b.log'))).toBe('b from the beginning\n');
    await tail.stop();
    await tail.append('a.log', numbered(15, 5));
    await tail.start();
    expect(tail.taken.text(tail.path('a.log'))).toBe(numbered(10, 10));
  });

  it('leave old files unread until they are written again', async () => {
    const tail = await Tailing.prepare({ entry: { ignoreOlderMs: 3_600_000 } });
    await writeFile(tail.path('a.log'), numbered(0, 10));
    // The clock of the test is in 2023.
    await utimes(tail.path('a.log'), 1_600_000_000, 1_600_000_000);
    await tail.start();
    expect(tail.taken.text()).toBe('');
    expect(await tail.source.explain('a.log')).toMatchObject({
      reason: expect.stringContaining('ignore_older') as string,
    });
    await appendFile(tail.path('a.log'), numbered(10, 1));
    await tail.turn();
    expect(tail.taken.text()).toBe(numbered(0, 11));
  });
});
