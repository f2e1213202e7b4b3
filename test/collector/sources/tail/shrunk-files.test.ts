import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

const RECOVERED =
  'A file has lost bytes that were read: continuing at the last position with the same bytes, as a new stream';

const lines = (count: number) => numbered(1, count);

/** A collector that has read a file of 510 lines, written in portions. */
async function following(): Promise<{ tail: Tailing; path: string }> {
  const tail = await Tailing.start();
  for (const [from, count] of [
    [1, 300],
    [301, 200],
    [501, 10],
  ] as const) {
    await tail.append('app.log', numbered(from, count));
    await tail.pass(1_000);
  }
  return { tail, path: tail.path('app.log') };
}

describe('a followed file that shrinks while the collector runs', () => {
  it.each([
    ['one byte is removed', 1, 1],
    ['its last line is removed', numbered(510, 1).length, 1],
    ['its last three lines are removed', numbered(508, 3).length, 4],
  ])('is continued at its last unchanged record when %s', async (_, removed, repeated) => {
    const { tail, path } = await following();
    const text = lines(510);
    truncateSync(path, text.length - removed);
    await tail.pass(3_000);
    appendFileSync(path, 'the next line\n');
    await tail.pass(8_000);
    const rest = `${text.slice(numbered(1, 510 - repeated).length, text.length - removed)}the next line\n`;
    expect(tail.taken.text()).toBe(text + rest);
    expect(tail.messages()).toEqual([RECOVERED]);
    expect(tail.source.lostBytes()).toBe(0);
  });

  it('is continued when a program rewrites its last line as a shorter one', async () => {
    const { tail, path } = await following();
    writeFileSync(path, `${lines(509)}short\n`);
    await tail.pass(8_000);
    expect(tail.taken.text()).toBe(`${lines(510)}short\n`);
  });

  it('is read from its beginning when it was truncated and begins with the same lines', async () => {
    const { tail, path } = await following();
    writeFileSync(path, `${lines(100)}another line\n`);
    await tail.pass(8_000);
    expect(tail.taken.text()).toBe(`${lines(510)}${lines(100)}another line\n`);
  });

  it('counts the bytes that were removed before they could be read', async () => {
    const { tail, path } = await following();
    tail.sink.paused = true;
    await tail.append('app.log', numbered(511, 10));
    await tail.turn();
    truncateSync(path, lines(509).length);
    await tail.turn();
    tail.sink.paused = false;
    await tail.pass(8_000);
    expect(tail.taken.text()).toBe(lines(510));
    expect(tail.source.lostBytes()).toBe(numbered(511, 10).length);
  });
});
