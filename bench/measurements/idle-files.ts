import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOutPair } from '../../test/support/pair.ts';
import { untilReady } from '../../test/support/product.ts';
import { cpuSeconds } from '../process-usage.ts';

export interface IdleUse {
  readonly files: number;
  /** Share of one core, 0.01 is one hundredth. */
  readonly collector: number;
  readonly aggregator: number;
}

const FILES = 1000;
const SETTLE_MS = 5000;
const MEASURED_MS = 20_000;

/** Measures the cost of watching many idle files. */
export async function measureIdleFiles(directory: string): Promise<IdleUse> {
  const pair = await layOutPair({
    directory,
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '100ms' },
  });
  const bytes = await writeFiles(pair.logDirectory);
  const aggregator = pair.startAggregator();
  const collector = pair.startCollector();
  try {
    await untilReady(aggregator, pair.aggregatorHttp);
    await untilReady(collector, pair.collectorHttp);
    await untilSize(pair.outputPath, bytes);
    await sleep(SETTLE_MS);
    const before = [collector, aggregator].map(({ pid }) => cpuSeconds(pid));
    await sleep(MEASURED_MS);
    const [ofCollector = Number.NaN, ofAggregator = Number.NaN] = [collector, aggregator].map(
      ({ pid }, index) => (cpuSeconds(pid) - (before[index] ?? 0)) / (MEASURED_MS / 1000),
    );
    return { files: FILES, collector: ofCollector, aggregator: ofAggregator };
  } finally {
    await collector.kill();
    await aggregator.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeFiles(directory: string): Promise<number> {
  let bytes = 0;
  for (let index = 0; index < FILES; index++) {
    const text = `the only line of file ${index}, long enough to tell it from the others by its content\n`;
    await writeFile(join(directory, `idle-${index}.log`), text);
    bytes += text.length;
  }
  return bytes;
}

async function untilSize(path: string, bytes: number, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size >= bytes) return;
    if (Date.now() > deadline) throw new Error(`${size} of ${bytes} bytes came out within ${timeoutMs} ms`);
    await sleep(50);
  }
}
