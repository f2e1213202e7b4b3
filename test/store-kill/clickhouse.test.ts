import { describe, test } from 'vitest';
import { OwnClickHouse } from '../../testkit/clickhouse/own-clickhouse.ts';
import { expectCleanStoreChaos } from './store-chaos.ts';

const isInstalled = OwnClickHouse.isInstalled();
if (!isInstalled) process.stderr.write('SKIPPED: kill rounds of ClickHouse; chdb is not installed\n');

describe.skipIf(!isInstalled)('ClickHouse shows every line once after any kill', () => {
  test('with one aggregator', { timeout: 180_000 }, async () => {
    await expectCleanStoreChaos({ store: 'clickhouse', aggregators: 1 });
  });
});
