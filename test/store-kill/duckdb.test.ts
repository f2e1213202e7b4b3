import { test } from 'vitest';
import { expectCleanStoreChaos } from './store-chaos.ts';

test('DuckDB has every line once after any kill', { timeout: 180_000 }, async () => {
  await expectCleanStoreChaos({ store: 'duckdb', aggregators: 1 });
});
