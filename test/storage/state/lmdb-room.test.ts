import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  openStateStore,
  type StateStore,
  type StateStoreOptions,
} from '../../../src/storage/state/state-store.ts';
import { StateStoreError } from '../../../src/storage/state/state-store-error.ts';
import { SmallDisk } from '../../../testkit/small-disk.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { Random } from '../random.ts';

const MIB = 1024 * 1024;

async function smallDisk(megabytes: number): Promise<SmallDisk | undefined> {
  const disk = await SmallDisk.mount(await temporaryDirectory(), megabytes);
  onTestFinished(() => disk?.unmount());
  return disk;
}

async function openStore(directory: string, options?: StateStoreOptions): Promise<StateStore> {
  const store = await openStateStore(directory, options);
  onTestFinished(() => store.close());
  return store;
}

function fileBytes(directory: string): number {
  return statSync(join(directory, 'data.mdb')).size;
}

describe('on a disk without a free byte', () => {
  test('commits succeed, thousands of them, and the store can be opened again', async ({ skip }) => {
    const disk = await smallDisk(16);
    if (disk === undefined) return skip('mounting a tmpfs is not possible here');
    const directory = join(disk.directory, 'state');
    const store = await openStateStore(directory);
    const cursors = store.table<{ entry: number; filler: string }>('cursors');
    await store.write(() => cursors.put('file', { entry: 0, filler: 'x'.repeat(1000) }));
    disk.fill(0);
    for (let entry = 1; entry <= 2000; entry++) {
      await store.write(() => cursors.put('file', { entry, filler: 'x'.repeat(entry % 1500) }));
    }
    await store.close();
    const again = await openStore(directory);
    expect(again.table<{ entry: number }>('cursors').get('file')?.entry).toBe(2000);
    await again.write(() => again.table<number>('other').put('n', 1));
  });

  test('a commit without enough room is rejected, and nothing is damaged', async ({ skip }) => {
    const disk = await smallDisk(16);
    if (disk === undefined) return skip('mounting a tmpfs is not possible here');
    const directory = join(disk.directory, 'state');
    const store = await openStore(directory);
    const table = store.table<string>('t');
    await store.write(() => table.put('before', 'x'));
    const sizeBytes = fileBytes(directory);
    disk.fill(0);
    const fill = () => {
      for (let i = 0; i < 4000; i++) table.put(i, 'x'.repeat(1000));
    };
    for (let i = 0; i < 20; i++) await expect(store.write(fill)).rejects.toThrow(/no room on the disk/);
    expect([...table.entries()]).toEqual([{ key: 'before', value: 'x' }]);
    expect(fileBytes(directory)).toBe(sizeBytes);
    await store.write(() => table.put('small', 'y'));
    disk.free();
    await store.write(fill);
    expect([...table.entries()]).toHaveLength(4002);
  });

  test('a new store is rejected instead of ending the process', async ({ skip }) => {
    const disk = await smallDisk(1);
    if (disk === undefined) return skip('mounting a tmpfs is not possible here');
    disk.fill(0);
    await expect(openStateStore(join(disk.directory, 'state'))).rejects.toThrow(StateStoreError);
    disk.free();
    const store = await openStore(join(disk.directory, 'state'));
    await store.write(() => store.table('t').put('k', 1));
  });

  test('a new store with less room than a step reserves none', async ({ skip }) => {
    const disk = await smallDisk(1);
    if (disk === undefined) return skip('mounting a tmpfs is not possible here');
    const directory = join(disk.directory, 'state');
    const store = await openStore(directory, { stepBytes: 2 * MIB });
    expect(fileBytes(directory)).toBeLessThan(64 * 1024);
    await store.write(() => store.table('t').put('k', 1));
  });
});

describe('the file of the state', () => {
  test('grows ahead of LMDB in steps, and LMDB continues in the larger file', async () => {
    const directory = await temporaryDirectory();
    for (let round = 0; round < 4; round++) {
      const store = await openStateStore(directory, { stepBytes: MIB });
      const table = store.table<string>('t');
      await store.write(() => {
        for (let i = 0; i < 1000; i++) table.put([round, i], String(i).repeat(200));
      });
      expect(fileBytes(directory) % MIB).toBe(0);
      await store.close();
    }
    const store = await openStore(directory);
    const keys = [...store.table<string>('t').entries()].map(({ key }) => key);
    expect(keys).toEqual(Array.from({ length: 4000 }, (_, i) => [Math.floor(i / 1000), i % 1000]));
    expect(fileBytes(directory)).toBeLessThan(12 * MIB);
  });

  test('is small at first, and then grows with its content', async () => {
    const directory = await temporaryDirectory();
    const store = await openStore(directory, { stepBytes: 64 * MIB });
    expect(fileBytes(directory)).toBe(MIB);
    const table = store.table<string>('t');
    for (let round = 1; round <= 100; round++) {
      await store.write(() => {
        for (let i = 0; i < 20; i++) table.put([round, i], 'x'.repeat(2000));
      });
      const contentBytes = round * 20 * 2000;
      expect(fileBytes(directory)).toBeGreaterThan(contentBytes);
      expect(fileBytes(directory)).toBeLessThan(8 * contentBytes + 2 * MIB);
    }
  });

  test('is never extended by LMDB itself', { timeout: 60_000 }, async () => {
    const seed = Math.floor(Math.random() * 1e6);
    const random = new Random(seed);
    const directory = await temporaryDirectory();
    const stepBytes = 16 * 1024;
    const store = await openStore(directory, { stepBytes });
    const table = store.table<string>('t');
    for (let i = 0; i < 300; i++) {
      const changes = random.integer(1, random.chance(0.1) ? 1500 : 20);
      const spread = random.integer(1, 5000);
      const valueBytes = random.integer(0, random.chance(0.1) ? 20_000 : 300);
      await store.write(() => {
        for (let n = 0; n < changes; n++) {
          const key = [random.integer(1, spread), 'k'.repeat(random.integer(0, 40))];
          if (random.chance(0.3)) table.remove(key);
          else table.put(key, 'v'.repeat(random.integer(0, valueBytes)));
        }
      });
      expect(fileBytes(directory) % stepBytes, `seed ${seed}, transaction ${i}`).toBe(0);
    }
  });
});
