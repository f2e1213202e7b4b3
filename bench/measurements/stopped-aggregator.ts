import { link, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOutPair } from '../../testkit/pair.ts';
import { peakMemoryBytes } from '../../testkit/process-usage.ts';
import { untilReady } from '../../testkit/product.ts';
import type { WrittenLog } from '../access-log.ts';
import { LOG_NAME } from '../contender.ts';

/** `absent`: it never ran. `frozen`: it accepted the connection and was then suspended (SIGSTOP). */
export type Absence = 'absent' | 'frozen';

const OBSERVED_MS = 10_000;

/**
 * The collector's peak memory when no aggregator accepts its records. It must not depend on the size of the
 * log.
 */
export async function measureStoppedAggregator(
  log: WrittenLog,
  absence: Absence,
  directory: string,
): Promise<number> {
  const pair = await layOutPair({ directory });
  const aggregator = absence === 'frozen' ? pair.startAggregator() : undefined;
  if (aggregator !== undefined) await untilReady(aggregator, pair.aggregatorHttp);
  const collector = pair.startCollector();
  try {
    if (aggregator !== undefined) await untilReady(collector, pair.collectorHttp);
    aggregator?.signal('SIGSTOP');
    await link(log.path, join(pair.logDirectory, LOG_NAME));
    await sleep(OBSERVED_MS);
    if (collector.exit !== undefined)
      throw new Error(`the collector ended: ${collector.stderr.slice(-2000)}`);
    return peakMemoryBytes(collector.pid);
  } finally {
    await collector.kill();
    await aggregator?.kill();
    await rm(directory, { recursive: true, force: true });
  }
}
