import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inProcessPair } from './support/in-process-pair.ts';
import { lines } from './support/record-batches.ts';
import { temporaryDirectory } from './support/temporary-directory.ts';

it('reports to a one-shot collector what the aggregator has accepted and not delivered', async () => {
  const pair = await inProcessPair(await temporaryDirectory());
  // The open batch waits for more records.
  await (await pair.createAggregator({ AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '1h' })).start();
  const path = join(pair.directory, 'a.log.in');
  await writeFile(path, lines(10).join(''));
  const once = await pair.createCollector({ COLLECTOR_ONCE: '1' });
  await once.start();
  await once.drained();
  await once.stop(AbortSignal.timeout(10_000));
  expect(once.oneShotReport()).toMatchObject({
    accepted: { records: 10 },
    ...{ remainingBytes: 0, left: [], undeliveredRecords: 10 },
  });
});

it('reports nothing to a collector that runs on', async () => {
  const pair = await inProcessPair(await temporaryDirectory());
  await (await pair.createAggregator()).start();
  await writeFile(join(pair.directory, 'a.log.in'), lines(10).join(''));
  const collector = await pair.createCollector();
  await collector.start();
  await collector.drained();
  expect(collector.oneShotReport()).toMatchObject({
    accepted: { records: 10 },
    undeliveredRecords: undefined,
  });
});
