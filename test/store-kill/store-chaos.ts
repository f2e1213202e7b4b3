import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runStoreChaos, type StoreChaosPlan } from '../../bench/chaos/store/store-chaos.ts';
import { describeStoreReport, storeFailuresOf } from '../../bench/chaos/store/store-report.ts';
import { productIsBuilt } from '../../testkit/product.ts';
import { freshSeed } from '../../testkit/random.ts';

const ROUNDS = 5;
const DEADLINE_MS = 150_000;

/** The short form of `make chaos STORE=...`. CHAOS_SEED=n repeats a plan. */
export async function expectCleanStoreChaos(
  plan: Pick<StoreChaosPlan, 'store' | 'aggregators' | 'losesState'>,
): Promise<void> {
  expect(productIsBuilt(), 'dist/ is built (make test does)').toBe(true);
  const { CHAOS_SEED } = process.env;
  const seed = CHAOS_SEED === undefined ? freshSeed() : Number(CHAOS_SEED);
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-chaos-'));
  const said: string[] = [];

  const report = await runStoreChaos({
    ...plan,
    ...{ rounds: ROUNDS, seed, directory, deadlineMs: DEADLINE_MS },
    say: (text) => void said.push(text),
  });

  const explanation = `${said.join('\n')}\n${describeStoreReport(report)}\nleft in ${directory}`;
  const skipped = said.filter((text) => text.startsWith('SKIPPED')).join('\n');
  process.stderr.write(`chaos with ${plan.store}: seed ${seed}\n${skipped}`);
  expect(storeFailuresOf(report), explanation).toEqual([]);
  await rm(directory, { recursive: true, force: true });
}
