import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Checkpoints } from '../../src/collector/checkpoints.ts';
import { openStateStore, type StateStore } from '../../src/storage/state/state-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function checkpointsOn(wrap: (store: StateStore) => StateStore = (store) => store) {
  const real = await openStateStore(join(await temporaryDirectory(), 'state'));
  onTestFinished(() => real.close());
  const clock = new FakeClock();
  const failures: Error[] = [];
  const store = wrap(real);
  const create = () =>
    new Checkpoints<number>({ store, table: 'test', clock, onFailure: (error) => void failures.push(error) });
  return { checkpoints: create(), create, clock, failures };
}

describe('Checkpoints', () => {
  it('restores values after a restart', async () => {
    const { checkpoints, create } = await checkpointsOn();
    checkpoints.change('a', () => 1);
    checkpoints.change('b', () => 2);
    checkpoints.remove('b');
    await checkpoints.flush();
    expect(create().entries()).toEqual([{ id: 'a', value: 1 }]);
  });

  it('writes many changes together with the current values after 100 ms at the latest', async () => {
    let writes = 0;
    const { checkpoints, create, clock } = await checkpointsOn((store) => ({
      ...store,
      table: (name) => store.table(name),
      write: (change) => {
        writes++;
        return store.write(change);
      },
    }));
    let value = 0;
    for (value = 1; value < 100; value++) checkpoints.change('a', () => value);
    expect(writes).toBe(0);
    await clock.advance(100);
    await expect.poll(() => create().entries()).toEqual([{ id: 'a', value: 100 }]);
    expect(writes).toBe(1);
  });

  it('writes values again after a failed write', async () => {
    let isFull = true;
    const { checkpoints, create, clock, failures } = await checkpointsOn((store) => ({
      ...store,
      table: (name) => store.table(name),
      write: (change) => (isFull ? Promise.reject(new Error('disk full')) : store.write(change)),
    }));
    checkpoints.change('a', () => 1);
    checkpoints.change('b', () => 1);
    await expect(checkpoints.flush()).rejects.toThrow('disk full');
    checkpoints.change('a', () => 2);
    await clock.advance(100);
    expect(failures).toHaveLength(1);
    isFull = false;
    await clock.advance(100);
    await checkpoints.flush();
    expect(create().entries()).toEqual([
      { id: 'a', value: 2 },
      { id: 'b', value: 1 },
    ]);
  });
});
