import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

const MIB = 1024 * 1024;

/** A writer that writes at its own offset into a file that is longer already. */
function writeAt(path: string, position: number, text: string): number {
  const file = openSync(path, 'r+');
  try {
    return position + writeSync(file, text, position);
  } finally {
    closeSync(file);
  }
}

function preallocate(path: string, sizeBytes: number): void {
  const file = openSync(path, 'a');
  ftruncateSync(file, sizeBytes);
  closeSync(file);
}

/** The text of each record. */
function recordsOf(tail: Tailing): string[] {
  return tail.taken.batches.flatMap(({ data, sizes }) => {
    let start = 0;
    return [...sizes].map((size) => {
      const text = Buffer.from(data.subarray(start, start + size)).toString('latin1');
      start += size;
      return text;
    });
  });
}

/*
 * Half a line is there, and NUL bytes where its other half will be. The half line waits until text replaces the NUL
 * bytes, or until its bytes and the run of NUL bytes were unchanged for the rest time.
 */
describe('a line whose second half is still NUL bytes', () => {
  it('is one record in a preallocated file that is larger than the buffer', async () => {
    const tail = await Tailing.start();
    const path = tail.path('app.log');
    preallocate(path, 3 * MIB);
    await tail.turn();
    const halfEnd = writeAt(path, 0, `${numbered(1, 3)}the first half `);
    await tail.turn();
    writeAt(path, halfEnd, 'and the second\n');
    await tail.pass(10_000);
    expect(recordsOf(tail).at(-1)).toBe('the first half and the second\n');
  });

  it('is one record in a preallocated file that has had its size for a while', async () => {
    const tail = await Tailing.start();
    const path = tail.path('app.log');
    preallocate(path, 10_000);
    await tail.pass(20_000);
    const halfEnd = writeAt(path, 0, `${numbered(1, 3)}the first half `);
    await tail.turn();
    writeAt(path, halfEnd, 'and the second\n');
    await tail.pass(10_000);
    expect(recordsOf(tail).at(-1)).toBe('the first half and the second\n');
  });

  it('is one record when a later part of the file is there before it', async () => {
    const tail = await Tailing.start();
    const path = tail.path('app.log');
    const half = `${numbered(1, 3)}the first half `;
    const rest = `and the second ${'.'.repeat(200)}\n`;
    writeFileSync(path, `${half}${'\0'.repeat(rest.length)}${numbered(4, 3)}`);
    await tail.turn();
    writeAt(path, half.length, rest);
    await tail.pass(10_000);
    expect(recordsOf(tail)[3]).toBe(`the first half ${rest}`);
  });

  it('waits again after each change of its bytes', async () => {
    const tail = await Tailing.start();
    const path = tail.path('app.log');
    preallocate(path, 10_000);
    await tail.pass(20_000);
    let end = writeAt(path, 0, numbered(1, 3));
    for (let part = 0; part < 5; part++) {
      end = writeAt(path, end, 'another part ');
      await tail.pass(3_000);
    }
    writeAt(path, end, 'the end\n');
    await tail.pass(10_000);
    expect(recordsOf(tail).slice(3)).toEqual([`${'another part '.repeat(5)}the end\n`]);
  });

  it('is sent without its second half when nothing changes for the rest time, and the hole is skipped', async () => {
    const tail = await Tailing.start();
    tail.taken.allowsHoles = true;
    const path = tail.path('app.log');
    writeFileSync(path, `${numbered(1, 3)}half${'\0'.repeat(100)}${numbered(4, 3)}`);
    await tail.pass(3_000);
    expect(recordsOf(tail)).toHaveLength(3);
    await tail.append('app.log', numbered(7, 1));
    await tail.pass(8_000);
    expect(tail.taken.text()).toBe(`${numbered(1, 3)}half${numbered(4, 4)}`);
    expect(recordsOf(tail)[3]).toBe('half');
  });

  it('is sent in a run with --once', async () => {
    const tail = await Tailing.prepare({ once: true });
    tail.taken.allowsHoles = true;
    writeFileSync(tail.path('app.log'), `${numbered(1, 3)}half${'\0'.repeat(100)}${numbered(4, 3)}`);
    await tail.start();
    let isDrained = false;
    void tail.source.drained().then(() => {
      isDrained = true;
    });
    for (let seconds = 0; seconds < 30 && !isDrained; seconds++) {
      await tail.clock.advance(1_000);
      await tail.sink.idle();
    }
    expect(isDrained).toBe(true);
    expect(tail.taken.text()).toBe(`${numbered(1, 3)}half${numbered(4, 3)}`);
  });
});

describe('a last line without an end', () => {
  it('waits again after a change of its bytes that leaves the size as it was', async () => {
    const tail = await Tailing.start();
    const path = tail.path('app.log');
    writeFileSync(path, `${numbered(1, 3)}progress 10 %`);
    const start = numbered(1, 3).length;
    for (const percent of [20, 30, 40]) {
      await tail.pass(3_000);
      writeAt(path, start, `progress ${percent} %`);
    }
    await tail.pass(3_000);
    expect(recordsOf(tail)).toHaveLength(3);
    await tail.pass(4_000);
    expect(recordsOf(tail)[3]).toBe('progress 40 %');
  });
});
