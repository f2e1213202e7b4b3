import { expect, test } from 'vitest';
import { runChaos } from '../../bench/chaos/chaos.ts';
import { productIsBuilt } from '../../testkit/product.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a run that does not end fails with its current step', { timeout: 60_000 }, async () => {
  expect(productIsBuilt(), 'dist/ is built (make test does)').toBe(true);
  const directory = await temporaryDirectory();
  const run = runChaos({ rounds: 1_000, seed: 1, directory, deadlineMs: 8_000, say: () => {} });
  await expect(run).rejects.toThrow(/within 8 s\. Its last message was: round \d+: /);
});
