import { open, truncate } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { numbered, Tailing } from './tailing.ts';

const SKIPPED = 'A run of NUL bytes in a file was skipped';

async function writeAt(path: string, position: number, text: string): Promise<void> {
  const handle = await open(path, 'r+');
  await handle.write(text, position);
  await handle.close();
}

describe('a run of NUL bytes', () => {
  it.each([200, 5_000_000])('of %i bytes is skipped at the beginning of a truncated file', async (size) => {
    const tail = await Tailing.prepare();
    tail.taken.allowsHoles = true;
    await tail.append('a.log', '');
    await truncate(tail.path('a.log'), size);
    await writeAt(tail.path('a.log'), size, numbered(0, 10));
    await tail.start();
    await tail.pass(3_000);
    await tail.append('a.log', numbered(10, 10));
    await tail.pass(1_000);
    expect(tail.taken.text()).toBe(numbered(0, 20));
    expect(tail.messages()).toEqual([SKIPPED]);
    expect(await tail.metrics.getSingleMetricAsString('collector_source_skipped_bytes_total')).toContain(
      ` ${size}`,
    );
    await tail.restart();
    await tail.append('a.log', numbered(20, 10));
    await tail.pass(2_000);
    expect(tail.taken.text()).toBe(numbered(0, 30));
    expect(tail.source.status().waitingBytes).toBe(0);
  });

  it('is skipped in the middle of a file and of a line', async () => {
    const tail = await Tailing.start();
    tail.taken.allowsHoles = true;
    await tail.append('a.log', `one\nhalf${'\0'.repeat(3_000)}two\n`);
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe('one\nhalftwo\n');
    expect(tail.messages()).toEqual([SKIPPED]);
  });

  it('waits at the end of a file until its bytes arrive', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 30));
    await tail.turn();
    const size = numbered(0, 30).length;
    await truncate(tail.path('a.log'), size + numbered(30, 5).length);
    await tail.pass(10_000);
    expect(tail.source.status().waitingBytes).toBe(0);
    await writeAt(tail.path('a.log'), size, numbered(30, 5));
    await tail.pass(2_000);
    expect(tail.taken.text()).toBe(numbered(0, 35));
    expect(tail.messages()).toEqual([]);
  });
});
