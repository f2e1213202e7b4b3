import { appendFile, open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileCheckpoint } from '../../../../../src/collector/sources/tail/files/file-checkpoint.ts';
import { NulScan } from '../../../../../src/collector/sources/tail/reading/nul-runs.ts';
import { emptyChecksum, extendChecksum } from '../../../../../src/records/running-checksum.ts';
import { temporaryDirectory } from '../../../../support/temporary-directory.ts';
import { numbered, Tailing } from '../tailing.ts';

const SKIPPED = 'Skipped a run of NUL bytes in a file';

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
    await tail.pass(8_000);
    expect(tail.taken.text()).toBe('one\nhalftwo\n');
    expect(tail.messages()).toEqual([SKIPPED]);
  });

  it('is not sent at the end of a file until its bytes arrive', async () => {
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

  it('is counted once for the stream, also after a restart', async () => {
    const tail = await Tailing.start();
    tail.taken.allowsHoles = true;
    await tail.append('a.log', `${numbered(0, 2)}${'\0'.repeat(100)}${numbered(2, 2)}`);
    await tail.pass(3_000);
    await tail.restart();
    await tail.append('a.log', `${'\0'.repeat(100)}${numbered(4, 2)}`);
    await tail.pass(3_000);
    await tail.stop();
    expect(tail.taken.text()).toBe(numbered(0, 6));
    const end = numbered(0, 4).length + 200;
    expect(checkpointsOf(tail).map(({ holes }) => holes)).toEqual([{ count: 2, end }]);
  });

  it('is sent when the stream has too many holes for the ledger', async () => {
    const tail = await Tailing.start();
    tail.taken.allowsHoles = true;
    await tail.append('a.log', numbered(0, 2));
    await tail.pass(1_000);
    await tail.stop();
    const table = tail.store.table<FileCheckpoint>('tail-checkpoints');
    const [row] = [...table.entries()];
    if (row === undefined) throw new Error('No checkpoint');
    await tail.store.write(() => table.put(row.key, { ...row.value, holes: { count: 200, end: 0 } }));
    await tail.start();
    const nuls = '\0'.repeat(100);
    await tail.append('a.log', `${nuls}${numbered(2, 2)}`);
    await tail.pass(3_000);
    expect(tail.taken.text()).toBe(numbered(0, 2) + nuls + numbered(2, 2));
  });
});

function checkpointsOf(tail: Tailing): FileCheckpoint[] {
  return Array.from(tail.store.table<FileCheckpoint>('tail-checkpoints').entries(), ({ value }) => value);
}

describe('the scan of a run of NUL bytes', () => {
  /** The bytes that each step reads of a sparse file, and what it returns. */
  async function turnsOver(
    sizeBytes: number,
    text: string,
  ): Promise<{ ends: unknown[]; readBytes: number[] }> {
    const path = join(await temporaryDirectory(), 'sparse');
    await writeFile(path, '');
    await truncate(path, sizeBytes);
    await appendFile(path, text);
    const handle = await open(path);
    const scan = new NulScan(0, emptyChecksum(0));
    const ends: unknown[] = [];
    const readBytes: number[] = [];
    for (let end: unknown; end === undefined; ends.push(end)) {
      let bytes = 0;
      const counting = {
        read: async (buffer: Buffer, offset: number, length: number, position: number) => {
          const read = await handle.read(buffer, offset, length, position);
          bytes += read.bytesRead;
          return read;
        },
      };
      end = await scan.step(counting, Buffer.alloc(1024 * 1024));
      readBytes.push(bytes);
    }
    await handle.close();
    expect(scan.checksum).toEqual(extendChecksum(emptyChecksum(0), Buffer.alloc(sizeBytes)));
    return { ends, readBytes };
  }

  it('reads a limited number of bytes in each step, so that other streams are read in between', async () => {
    const { ends, readBytes } = await turnsOver(20_000_001, 'text\n');
    expect(ends.at(-1)).toBe(20_000_001);
    expect(ends.length).toBeGreaterThan(3);
    expect(Math.max(...readBytes)).toBeLessThanOrEqual(5 * 1024 * 1024);
  });

  it('ends at the end of the file when no other bytes follow', async () => {
    const { ends } = await turnsOver(9_000_000, '');
    expect(ends.at(-1)).toBe('end of file');
  });
});

describe('NUL bytes at the end of a large file', () => {
  it('are not scanned again at every scan, and text after them is still found', async () => {
    const size = 64 * 1024 * 1024;
    const tail = await Tailing.start();
    tail.taken.allowsHoles = true;
    await tail.append('a.log', numbered(0, 2));
    await truncate(tail.path('a.log'), size);
    await tail.pass(1_000);
    await writeAt(tail.path('a.log'), size - 5, 'text\n');
    await tail.pass(40_000);
    expect(tail.taken.text()).toBe(`${numbered(0, 2)}text\n`);
  });

  it('do not delay text that replaces the first of them', async () => {
    const tail = await Tailing.start();
    await tail.append('a.log', numbered(0, 2));
    await truncate(tail.path('a.log'), 64 * 1024 * 1024);
    await tail.pass(1_000);
    await writeAt(tail.path('a.log'), numbered(0, 2).length, numbered(2, 2));
    await tail.pass(8_000);
    expect(tail.taken.text()).toBe(numbered(0, 4));
  });
});
