import { chmodSync, copyFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from '../tailing.ts';

const UNKNOWN = 'bytes that were written after the last run, if any, were not read';

/** A collector that has read a.log in full, unless `isPaused`, and has stopped; a minute has passed since. */
async function stopped(options: { readonly isPaused?: boolean } = {}): Promise<Tailing> {
  const tail = await Tailing.prepare({ globs: ['a.log'] });
  tail.sink.paused = options.isPaused === true;
  await tail.append('a.log', numbered(0, 20));
  if (options.isPaused === true) tail.sink.accepting = false;
  await tail.start();
  await tail.turn();
  await tail.stop();
  tail.sink.accepting = true;
  await tail.clock.advance(60_000);
  return tail;
}

function copyAsNow(tail: Tailing): void {
  copyFileSync(tail.path('a.log'), tail.path('a.log.1'));
  const seconds = Number(tail.clock.nowUnixNano() / 1_000_000_000n);
  utimesSync(tail.path('a.log.1'), seconds, seconds);
}

describe('a file whose bytes are not found at the start', () => {
  it('is reported as missing when no file is at its path', async () => {
    const tail = await stopped();
    rmSync(tail.path('a.log'));
    await tail.start();
    expect(tail.messages()).toEqual([`A file was missing at the start: ${UNKNOWN}`]);
  });

  it('is reported as replaced when another file is at its path', async () => {
    const tail = await stopped();
    writeFileSync(tail.path('b'), numbered(50, 5));
    rmSync(tail.path('a.log'));
    writeFileSync(tail.path('a.log'), numbered(60, 5));
    await tail.start();
    expect(tail.messages()).toEqual([`A file was replaced by another one before the start: ${UNKNOWN}`]);
  });

  it('is reported as rewritten when the file is there with other bytes', async () => {
    const tail = await stopped();
    writeFileSync(tail.path('a.log'), numbered(60, 5));
    await tail.start();
    expect(tail.messages()).toEqual([`A file was truncated or rewritten before the start: ${UNKNOWN}`]);
  });

  it('is not reported when a copy shows that nothing was written after the last run', async () => {
    const tail = await stopped();
    copyAsNow(tail);
    truncateSync(tail.path('a.log'));
    await tail.start();
    expect(tail.messages()).toEqual([]);
    expect(tail.source.lostBytes()).toBe(0);
  });

  it('is counted once when a copy has bytes that were not read', async () => {
    const tail = await stopped();
    await tail.append('a.log', numbered(20, 5));
    copyAsNow(tail);
    truncateSync(tail.path('a.log'));
    await tail.start();
    expect(tail.messages()).toHaveLength(1);
    expect(tail.source.lostBytes()).toBe(numbered(20, 5).length);
  });

  it('is counted once when nothing of it was accepted and a copy has all its bytes', async () => {
    const tail = await stopped({ isPaused: true });
    copyAsNow(tail);
    truncateSync(tail.path('a.log'));
    await tail.start();
    expect(tail.source.lostBytes()).toBe(numbered(0, 20).length);
    expect(tail.messages()).toHaveLength(1);
  });

  it.skipIf(process.getuid?.() === 0)('is not reported while it cannot be opened', async () => {
    const tail = await stopped();
    chmodSync(tail.path('a.log'), 0);
    await tail.start();
    expect(tail.messages()).toEqual(['Cannot open a file; trying again at the next scan']);
  });
});
