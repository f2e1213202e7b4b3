import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BufferPool } from '../../src/runtime/buffer-pool.ts';
import { FakeClock } from '../support/fake-clock.ts';

const KIB = 1024;
const newPool = () => new BufferPool({ largestBytes: 256 * KIB, keptBytes: 128 * KIB });

describe('BufferPool', () => {
  it('returns the memory of a released buffer again, also for another size that fits', () => {
    const pool = newPool();
    const first = pool.take(40 * KIB);
    pool.release(first.subarray(10, 20));
    const second = pool.take(64 * KIB);
    expect(second.buffer).toBe(first.buffer);
    expect(second.length).toBeGreaterThanOrEqual(64 * KIB);
  });

  it('never returns memory that is in use', () => {
    const pool = newPool();
    const first = pool.take(64 * KIB);
    expect(pool.take(64 * KIB).buffer).not.toBe(first.buffer);
    pool.release(first);
    pool.release(first);
    const [second, third] = [pool.take(64 * KIB), pool.take(64 * KIB)];
    expect(second.buffer).toBe(first.buffer);
    expect(third.buffer).not.toBe(first.buffer);
  });

  it('keeps memory in use until the turn of the event loop ends, for callbacks that still read it', async () => {
    const pool = newPool();
    const first = pool.take(64 * KIB);
    pool.releaseAfterTurn(first);
    await Promise.resolve();
    expect(pool.take(64 * KIB).buffer).not.toBe(first.buffer);
    await nextTurn();
    expect(pool.take(64 * KIB).buffer).toBe(first.buffer);
  });

  it('ignores memory of others', () => {
    const pool = newPool();
    const foreign = Buffer.allocUnsafeSlow(64 * KIB);
    pool.release(foreign);
    expect(pool.take(64 * KIB).buffer).not.toBe(foreign.buffer);
  });

  it('keeps at most its limit of free bytes', () => {
    const pool = newPool();
    const taken = [pool.take(64 * KIB), pool.take(64 * KIB), pool.take(64 * KIB)];
    for (const buffer of taken) pool.release(buffer);
    const again = [pool.take(64 * KIB), pool.take(64 * KIB), pool.take(64 * KIB)];
    const old = new Set(taken.map(({ buffer }) => buffer));
    expect(again.filter(({ buffer }) => old.has(buffer))).toHaveLength(2);
  });

  it('returns buffers of the exact size for few bytes and for more than it keeps', () => {
    const pool = newPool();
    expect(pool.take(100)).toHaveLength(100);
    expect(pool.take(300 * KIB)).toHaveLength(300 * KIB);
  });

  it('with a clock frees what is not in use while no buffer is taken', async () => {
    const clock = new FakeClock();
    const pool = new BufferPool({ largestBytes: 256 * KIB, keptBytes: 128 * KIB, clock });
    const first = pool.take(64 * KIB);
    pool.release(first);
    await clock.advance(1_000);
    expect(pool.take(64 * KIB).buffer).toBe(first.buffer);
    pool.release(first);
    await clock.advance(10_000);
    expect(pool.take(64 * KIB).buffer).not.toBe(first.buffer);
  });
});
