import {
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

const REPORT =
  'A rotated file is not read: it was written between two scans, and is compressed or matches no pattern';

/** A collector that has read the first 50 lines of app.log. */
async function following(globs: readonly string[]): Promise<{ tail: Tailing; path: string }> {
  const tail = await Tailing.start({ globs });
  await tail.append('app.log', numbered(1, 50));
  await tail.pass(2_000);
  return { tail, path: tail.path('app.log') };
}

const reported = (tail: Tailing) =>
  tail.log.filter(({ msg }) => msg === REPORT).map(({ path, lostBytes }) => ({ path, lostBytes }));

describe('a generation that is created and rotated between two scans', () => {
  it('is read in its order when it is renamed to a name that no pattern matches', async () => {
    const { tail, path } = await following(['*.log']);
    renameSync(path, `${path}.2`);
    writeFileSync(path, numbered(51, 50));
    renameSync(path, `${path}.1`);
    writeFileSync(path, numbered(101, 50));
    await tail.pass(5_000);
    expect(tail.taken.text()).toBe(numbered(1, 150));
    expect(tail.taken.text(path)).toBe(numbered(1, 150));
    expect(tail.source.lostBytes()).toBe(0);
    await tail.restart();
    await tail.pass(5_000);
    expect(tail.taken.text()).toBe(numbered(1, 150));
  });

  it('is read when several of them are renamed, also while no file is at the path', async () => {
    const { tail, path } = await following(['app.log']);
    renameSync(path, `${path}.3`);
    writeFileSync(path, numbered(51, 50));
    renameSync(path, `${path}.2`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(path, numbered(101, 50));
    renameSync(path, `${path}.1`);
    await tail.pass(5_000);
    expect(tail.taken.text(path)).toBe(numbered(1, 150));
    writeFileSync(path, numbered(151, 5));
    await tail.pass(5_000);
    expect(tail.taken.text(path)).toBe(numbered(1, 155));
  });

  it('is reported and counted once when it is compressed', async () => {
    const { tail, path } = await following(['*.log*']);
    renameSync(path, `${path}.2`);
    writeFileSync(path, numbered(51, 50));
    writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(path)));
    const seconds = Number(tail.clock.nowUnixNano() / 1_000_000_000n) - 1;
    utimesSync(`${path}.1.gz`, seconds, seconds);
    rmSync(path);
    writeFileSync(path, numbered(101, 50));
    await tail.pass(5_000);
    expect(tail.taken.text()).toBe(numbered(1, 50) + numbered(101, 50));
    expect(reported(tail)).toEqual([{ path: `${path}.1.gz`, lostBytes: numbered(51, 50).length }]);
    renameSync(`${path}.1.gz`, `${path}.2.gz`);
    await tail.pass(5_000);
    expect(tail.source.lostBytes()).toBe(numbered(51, 50).length);
    await tail.kill();
    await tail.start();
    await tail.pass(5_000);
    expect(tail.source.status().lostBytes).toBe(numbered(51, 50).length);
  });

  it('is reported by the next run when the collector stops before it decides', async () => {
    const { tail, path } = await following(['*.log']);
    writeFileSync(`${path}.1.gz`, gzipSync(numbered(51, 50)));
    const seconds = Number(tail.clock.nowUnixNano() / 1_000_000_000n) - 1;
    utimesSync(`${path}.1.gz`, seconds, seconds);
    await tail.turn();
    expect(tail.source.lostBytes()).toBe(0);
    await tail.clock.advance(5_000);
    await tail.restart();
    expect(tail.source.status().lostBytes).toBe(numbered(51, 50).length);
  });
});

describe('a rotated file without unread bytes is not reported', () => {
  it('when it is the compressed file of a generation that is read, or still waits for the aggregator', async () => {
    const { tail, path } = await following(['*.log']);
    tail.sink.paused = true;
    await tail.append('app.log', numbered(51, 50));
    await tail.turn();
    renameSync(path, `${path}.1`);
    writeFileSync(`${path}.1.gz`, gzipSync(readFileSync(`${path}.1`)));
    rmSync(`${path}.1`);
    writeFileSync(path, numbered(101, 50));
    await tail.pass(5_000);
    tail.sink.paused = false;
    await tail.pass(5_000);
    expect(tail.taken.text()).toBe(numbered(1, 150));
    expect(tail.messages()).toEqual([]);
  });

  it('when its content is unknown and it has the time of the last write of a known generation', async () => {
    const { tail, path } = await following(['*.log']);
    await tail.append('app.log', numbered(51, 50));
    const { atime, mtime } = statSync(path);
    writeFileSync(`${path}.1.zst`, 'compressed');
    utimesSync(`${path}.1.zst`, atime, mtime);
    rmSync(path);
    writeFileSync(path, numbered(101, 50));
    await tail.pass(5_000);
    expect(tail.taken.text()).toBe(numbered(1, 150));
    expect(tail.messages()).toEqual([]);
    writeFileSync(`${path}.2.zst`, 'compressed');
    utimesSync(`${path}.2.zst`, 1, 1);
    await tail.pass(5_000);
    expect(reported(tail)).toEqual([{ path: `${path}.2.zst`, lostBytes: undefined }]);
  });

  it('when it is a copy of a file that grows or was truncated', async () => {
    const { tail, path } = await following(['*.log']);
    copyFileSync(path, `${path}.bak`);
    await tail.append('app.log', numbered(51, 50));
    await tail.pass(5_000);
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
    await tail.append('app.log', numbered(101, 20));
    await tail.pass(5_000);
    expect(tail.taken.text()).toBe(numbered(1, 120));
    expect(tail.messages()).toEqual([]);
  });

  it('when its bytes are counted as truncated', async () => {
    const { tail, path } = await following(['*.log']);
    tail.sink.paused = true;
    await tail.append('app.log', numbered(51, 50));
    await tail.append('b.log', numbered(1, 50, 'other'));
    await tail.turn();
    for (const file of [path, tail.path('b.log')]) {
      copyFileSync(file, `${file}.1`);
      writeFileSync(file, numbered(201, 5, file));
    }
    await tail.pass(5_000);
    const lostBytes = numbered(51, 50).length + numbered(1, 50, 'other').length;
    expect(tail.source.lostBytes()).toBe(lostBytes);
    expect(reported(tail)).toEqual([]);
  });
});
