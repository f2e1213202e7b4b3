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
 * Half a line is there, and NUL bytes where its other half will be. The first half is sent at once as a record of its
 * own, without the wait that applies to the NUL bytes: `FileStream.#readAt` passes `isBeforeHole` when the run of NUL
 * bytes reaches the end of the buffer, when the size of the file is old, or when other bytes follow.
 */
describe('a line whose second half is still NUL bytes', () => {
  it.fails('is one record in a preallocated file that is larger than the buffer', async () => {
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

  it.fails('is one record in a preallocated file that has had its size for a while', async () => {
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

  it.fails('is one record when a later part of the file is there before it', async () => {
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
});
