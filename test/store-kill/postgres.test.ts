import { describe, test } from 'vitest';
import { OwnPostgres } from '../../testkit/own-postgres.ts';
import { expectCleanStoreChaos } from './store-chaos.ts';

const isInstalled = OwnPostgres.isInstalled();
if (!isInstalled) process.stderr.write('SKIPPED: PostgreSQL under fire, which is not installed\n');

describe.skipIf(!isInstalled)('PostgreSQL has every line once after any kill', () => {
  test('with one aggregator', { timeout: 180_000 }, async () => {
    await expectCleanStoreChaos({ store: 'postgres', aggregators: 1 });
  });

  test('with an aggregator that loses its state', { timeout: 180_000 }, async () => {
    await expectCleanStoreChaos({ store: 'postgres', aggregators: 1, losesState: true });
  });

  test('with two aggregators, between which a collector changes', { timeout: 180_000 }, async () => {
    await expectCleanStoreChaos({ store: 'postgres', aggregators: 2 });
  });
});
