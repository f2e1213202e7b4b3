import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { aggregatorStatus } from '../../testkit/owner-status.ts';
import { layOutPair } from '../../testkit/pair.ts';
import { cpuSeconds, peakMemoryBytes } from '../../testkit/process-usage.ts';
import { untilReady } from '../../testkit/product.ts';
import { writeAccessLog } from '../access-log.ts';

/** An aggregator and its collector while an access log passes. */
export interface IngestPeak {
  readonly collectorBytes: number;
  readonly aggregatorBytes: number;
  readonly aggregatorCpuSeconds: number;
}

const POLL_MS = 200;

export async function ingestPeak(
  megabytes: number,
  directory: string,
  emitters?: Readonly<Record<string, string>>,
): Promise<IngestPeak> {
  const pair = await layOutPair({
    directory,
    ...(emitters && { emitters, format: 'combined' }),
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms' },
  });
  const source = await writeAccessLog(join(directory, 'source'), megabytes);
  const aggregator = pair.startAggregator();
  const collector = pair.startCollector();
  try {
    await untilReady(aggregator, pair.aggregatorHttp);
    await untilReady(collector, pair.collectorHttp);
    await copyFile(source.path, join(pair.logDirectory, 'access.log'));
    while (!(await isDelivered(pair.aggregatorState, source.lines))) await sleep(POLL_MS);
    return {
      collectorBytes: peakMemoryBytes(collector.pid),
      aggregatorBytes: peakMemoryBytes(aggregator.pid),
      aggregatorCpuSeconds: cpuSeconds(aggregator.pid),
    };
  } finally {
    await collector.kill();
    await aggregator.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function isDelivered(state: string, lines: number): Promise<boolean> {
  const {
    emitters: [emitter],
  } = await aggregatorStatus(state);
  return (emitter?.delivered.records ?? 0) >= lines;
}
