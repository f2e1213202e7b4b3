import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runChaos } from '../../bench/chaos/chaos.ts';
import { describeReport, failuresOf } from '../../bench/chaos/chaos-report.ts';
import { productIsBuilt } from '../../testkit/product.ts';
import { freshSeed } from '../../testkit/random.ts';

const ROUNDS = 6;
const DEADLINE_MS = 150_000;

/** The short form of `make chaos`. CHAOS_SEED=n repeats a plan. */
test('every line is delivered once and in order after any kill', { timeout: 180_000 }, async () => {
  expect(productIsBuilt(), 'dist/ is built (make test does)').toBe(true);
  const { CHAOS_SEED } = process.env;
  const seed = CHAOS_SEED === undefined ? freshSeed() : Number(CHAOS_SEED);
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-chaos-'));
  const said: string[] = [];

  const report = await runChaos({
    ...{ rounds: ROUNDS, seed, directory, deadlineMs: DEADLINE_MS },
    say: (text) => void said.push(text),
  });

  const explanation = `${said.join('\n')}\n${describeReport(report)}\nleft in ${directory}`;
  process.stderr.write(
    `chaos: seed ${seed}\n${said.filter((text) => text.startsWith('SKIPPED')).join('\n')}`,
  );
  expect(failuresOf(report), explanation).toEqual([]);
  await rm(directory, { recursive: true, force: true });
});
