import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOutPair } from '../../testkit/pair.ts';
import { cpuSeconds, memoryBytes } from '../../testkit/process-usage.ts';
import { untilReady } from '../../testkit/product.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';

/** One collector with many files of one line each, which it has never seen. */
export interface ManyFilesRun {
  readonly files: number;
  /** From the start of the collector's process to the first line in the output. */
  readonly firstLineMs: number;
  /** From the same moment to the last line. */
  readonly allLinesMs: number;
  /** Share of one core when nothing is written, 0.01 is one hundredth. */
  readonly idleCollector: number;
  readonly idleAggregator: number;
  /** After the idle time. */
  readonly collectorMemoryBytes: number;
}

export const FILE_COUNTS = [1_000, 10_000, 20_000] as const;

const DIRECTORIES = 100;
const SETTLE_MS = 5000;
const IDLE_MS = 20_000;
const POLL_MS = 10;
const TIMEOUT_MS = 600_000;

/** Measures how soon the lines of many files arrive, and what the files cost when nothing is written any more. */
export async function measureManyFiles(files: number, directory: string): Promise<ManyFilesRun> {
  const pair = await layOutPair({
    directory,
    tail: join(directory, 'logs', '*', '*.log'),
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '100ms' },
  });
  const bytes = await writeFiles(pair.logDirectory, files);
  const aggregator = pair.startAggregator();
  const processes = [aggregator];
  try {
    await untilReady(aggregator, pair.aggregatorHttp);
    const startedMs = performance.now();
    const collector = pair.startCollector();
    processes.push(collector);
    await untilSize(pair.outputPath, 1);
    const firstLineMs = performance.now() - startedMs;
    await untilSize(pair.outputPath, bytes);
    const allLinesMs = performance.now() - startedMs;
    await sleep(SETTLE_MS);
    const [idleCollector, idleAggregator] = await coreShares([collector, aggregator]);
    const collectorMemoryBytes = memoryBytes(collector.pid);
    return { files, firstLineMs, allLinesMs, idleCollector, idleAggregator, collectorMemoryBytes };
  } finally {
    for (const process of processes) await process.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeFiles(directory: string, files: number): Promise<number> {
  for (let index = 0; index < DIRECTORIES; index++) await mkdir(join(directory, String(index)));
  let bytes = 0;
  for (let index = 0; index < files; index++) {
    const text = `the only line of file ${index}, long enough to tell it from the others by its content\n`;
    await writeFile(join(directory, String(index % DIRECTORIES), `${index}.log`), text);
    bytes += text.length;
  }
  return bytes;
}

async function untilSize(path: string, bytes: number): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size >= bytes) return;
    if (performance.now() > deadlineMs)
      throw new Error(`${size} of ${bytes} bytes are in the output after ${TIMEOUT_MS} ms`);
    await sleep(POLL_MS);
  }
}

async function coreShares(processes: readonly [RunningProcess, RunningProcess]): Promise<[number, number]> {
  const used = ({ pid }: RunningProcess) => cpuSeconds(pid);
  const [collector, aggregator] = processes;
  const before = [used(collector), used(aggregator)] as const;
  await sleep(IDLE_MS);
  const seconds = IDLE_MS / 1000;
  return [(used(collector) - before[0]) / seconds, (used(aggregator) - before[1]) / seconds];
}
