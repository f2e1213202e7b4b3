import { expect, test } from 'vitest';
import { createLogSearch } from '../../../src/logstore/logs/create-log-search.ts';
import { FilterError } from '../../../src/logstore/logs/log-search.ts';
import { createMonitor } from '../../../src/monitoring/create-monitor.ts';
import { logGroupDefinition } from '../../../src/monitoring/log-group-definition.ts';
import { MemoryPager } from '../../monitoring/turned-monitor.ts';
import { capturedLogger } from '../../support/captured-logger.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { jsonBatch } from '../../support/json-batch.ts';
import { describeEachStore } from '../../support/stores.ts';

describeEachStore('a search with a log group', (openStore) => {
  async function setUp() {
    const store = await openStore();
    await store.write([jsonBatch([1, 2, 3, 4].map((number) => ({ message: `m${number}`, number })))]);
    const clock = new FakeClock();
    const { logger } = capturedLogger();
    const pager = new MemoryPager();
    const monitor = createMonitor({ database: store.database, clock, logger, pager, holder: 'one' });
    await monitor.createLogGroup(logGroupDefinition.parse({ id: 'odd', expression: 'number in (1, 3)' }));
    return { monitor, logs: createLogSearch(store.database, { clock }) };
  }

  test('selects the records of the group', async () => {
    const { logs, monitor } = await setUp();
    const bodies = async (expression: string) => {
      const { entries } = await logs.search({ limit: 10, where: [{ expression }] });
      return entries.map(({ body }) => body).toSorted();
    };
    expect(await bodies('group("odd") and number > 1')).toEqual(['m3']);
    expect(await bodies('not group("odd")')).toEqual(['m2', 'm4']);
    await monitor.updateLogGroup(logGroupDefinition.parse({ id: 'odd', expression: 'number == 1' }));
    expect(await bodies('group("odd")')).toEqual(['m1']);
  });

  test('that does not exist is rejected with the place in the request', async () => {
    const { logs } = await setUp();
    const where = [{ expression: 'true' }, { expression: 'group("oddd")' }];
    for (const search of [
      () => logs.search({ limit: 1, where }),
      () => logs.histogram({ where }),
      () => logs.tail({ where }, undefined),
    ]) {
      const error: unknown = await search().catch((each: unknown) => each);
      expect(error).toBeInstanceOf(FilterError);
      expect(error).toMatchObject({
        path: 'where[1].expression',
        message: expect.stringContaining('there is no log group "oddd"; did you mean odd?'),
      });
    }
  });
});
