import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOutPair } from '../../testkit/pair.ts';
import { cpuSeconds, memoryBytes } from '../../testkit/process-usage.ts';
import { untilReady } from '../../testkit/product.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';
import { diskBytes } from './disk-bytes.ts';

/** One service from its start until it has been idle for a while. */
export interface ServiceCost {
  readonly name: string;
  /** All threads, until it reports that it is ready. */
  readonly startCpuSeconds: number;
  readonly idleMemoryBytes: number;
  /** Share of one core while nothing is written: 0.01 is one hundredth. */
  readonly idleCore: number;
  /** A fresh state directory. */
  readonly stateBytes: number;
}

const SETTLE_MS = 10_000;

/** Measures a collector that follows one file, and its aggregator with this emitter. */
export async function idleServices(
  emitter: { readonly name: string; readonly env?: Readonly<Record<string, string>> },
  directory: string,
  idleMs: number,
): Promise<readonly ServiceCost[]> {
  const pair = await layOutPair({ directory, ...(emitter.env && { emitters: emitter.env }) });
  await writeFile(join(pair.logDirectory, 'one.log'), 'a line\n');
  const running: RunningProcess[] = [];
  try {
    const aggregator = pair.startAggregator();
    running.push(aggregator);
    const aggregatorStart = await startCost(aggregator, pair.aggregatorHttp);
    const collector = pair.startCollector();
    running.push(collector);
    const collectorStart = await startCost(collector, pair.collectorHttp);
    await appendFile(join(pair.logDirectory, 'one.log'), 'another line\n');
    await sleep(SETTLE_MS);
    const idle = await idleCores([collector, aggregator], idleMs);
    return [
      serviceCost('collector', collector, { start: collectorStart, idle, state: pair.collectorState }),
      serviceCost(`aggregator, ${emitter.name}`, aggregator, {
        ...{ start: aggregatorStart, idle, state: pair.aggregatorState },
      }),
    ];
  } finally {
    for (const each of running) await each.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function startCost(service: RunningProcess, http: string): Promise<number> {
  await untilReady(service, http);
  return cpuSeconds(service.pid);
}

async function idleCores(
  services: readonly RunningProcess[],
  idleMs: number,
): Promise<ReadonlyMap<RunningProcess, number>> {
  const before = services.map(({ pid }) => cpuSeconds(pid));
  await sleep(idleMs);
  return new Map(
    services.map((each, index) => [each, (cpuSeconds(each.pid) - (before[index] ?? 0)) / (idleMs / 1000)]),
  );
}

interface Measured {
  readonly start: number;
  readonly idle: ReadonlyMap<RunningProcess, number>;
  readonly state: string;
}

function serviceCost(name: string, service: RunningProcess, { start, idle, state }: Measured): ServiceCost {
  return {
    name,
    startCpuSeconds: start,
    idleMemoryBytes: memoryBytes(service.pid),
    idleCore: idle.get(service) ?? Number.NaN,
    stateBytes: diskBytes(state),
  };
}
