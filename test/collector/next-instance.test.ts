import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { nextInstance } from '../../src/collector/next-instance.ts';
import { openStateStore } from '../../src/storage/state/state-store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

it('each start names the instance of the start before it', async () => {
  const store = await openStateStore(join(await temporaryDirectory(), 'state'));
  onTestFinished(() => store.close());
  const first = await nextInstance(store);
  const second = await nextInstance(store);
  const third = await nextInstance(store);
  expect(first.previousInstance).toBeUndefined();
  expect(second.previousInstance).toBe(first.instance);
  expect(third.previousInstance).toBe(second.instance);
  expect(new Set([first.instance, second.instance, third.instance]).size).toBe(3);
});
