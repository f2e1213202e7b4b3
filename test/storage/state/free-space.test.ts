import { describe, expect, test } from 'vitest';
import { FreeSpace } from '../../../src/storage/state/free-space.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

function freeSpaceOf(availableBytes: number, totalBytes: number, options = {}) {
  const clock = new FakeClock();
  const disk = { availableBytes, totalBytes, asked: 0 };
  const fileSystem = {
    space: async () => {
      disk.asked++;
      if (Number.isNaN(disk.availableBytes)) throw new Error('no answer');
      return disk;
    },
  };
  return { clock, disk, freeSpace: new FreeSpace({ directory: '/', clock, fileSystem, ...options }) };
}

describe('the reserve', () => {
  test.each([
    ['256 MiB of a small disk', 255 * MIB, 4 * GIB, true],
    ['256 MiB of a small disk', 256 * MIB, 4 * GIB, false],
    ['2 % of a large one', 19 * GIB, 1000 * GIB, true],
    ['2 % of a large one', 20 * GIB, 1000 * GIB, false],
  ])('is %s', async (_, available, total, short) => {
    const { freeSpace } = freeSpaceOf(available, total);
    const shortage = await freeSpace.check();
    expect(shortage !== undefined).toBe(short);
    if (short)
      expect(shortage).toMatch(/^disk is nearly full: \d+ MiB are free, \d+ MiB are kept in reserve$/);
    expect(freeSpace.shortage).toBe(shortage);
  });

  test('can be set', async () => {
    expect(
      await freeSpaceOf(10, 100, { reserveBytes: 11, reserveFraction: 0 }).freeSpace.check(),
    ).toBeDefined();
    expect(
      await freeSpaceOf(10, 100, { reserveBytes: 0, reserveFraction: 0.1 }).freeSpace.check(),
    ).toBeUndefined();
  });

  test('is checked at most once a second', async () => {
    const { freeSpace, disk, clock } = freeSpaceOf(10 * GIB, 20 * GIB);
    await freeSpace.check();
    disk.availableBytes = 0;
    await clock.advance(999);
    expect(await freeSpace.check()).toBeUndefined();
    await clock.advance(1);
    expect(await freeSpace.check()).toBeDefined();
    expect(disk.asked).toBe(2);
  });

  test('is sufficient when the query fails', async () => {
    expect(await freeSpaceOf(Number.NaN, 0).freeSpace.check()).toBeUndefined();
  });
});
