import { test } from 'vitest';
import { expectCleanStoreChaos } from './store-chaos.ts';

test('DuckDB holds every line once, whatever is killed', { timeout: 180_000 }, async () => {
  await expectCleanStoreChaos({ store: 'duckdb', aggregators: 1 });
});
