import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { aggregatorStatus } from '../../testkit/owner-status.ts';
import { layOutPair, type Pair } from '../../testkit/pair.ts';
import { cpuSeconds, peakMemoryBytes } from '../../testkit/process-usage.ts';
import { untilReady } from '../../testkit/product.ts';
import { runCommand } from '../../testkit/running-process.ts';
import type { FebeSenderPlan, FebeSending } from '../febe-sender.ts';

export interface PgLogfebeRun {
  readonly name: string;
  /** 0: as fast as they are read. */
  readonly wantedPerSecond: number;
  /** Number of sent records. */
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
  /** Records that were dropped and counted because the buffer before the disk was full. */
  readonly lostRecords: number;
  /** Writes that the kernel did not accept at once: each would have blocked a process of PostgreSQL. */
  readonly waitedWrites: number;
  readonly slowestWriteMs: number;
  /** CPU seconds per million records. */
  readonly collectorCpu: number;
  readonly aggregatorCpu: number;
  readonly collectorPeakBytes: number;
  readonly aggregatorPeakBytes: number;
  /** Time from the last write until the last record was accepted; NaN: the aggregator was suspended. */
  readonly behindSeconds: number;
}

export const STEADY_RECORDS_PER_SECOND = 50_000;
export const SOCKETS = 200;
const SECONDS = 10;
const IDENTITY = 'bench';

interface Course extends Pick<PgLogfebeRun, 'name' | 'wantedPerSecond'> {
  /** The aggregator accepts the connection, and is then suspended (SIGSTOP). */
  readonly stalled: boolean;
}

const COURSES: readonly Course[] = [
  { name: 'steady', wantedPerSecond: STEADY_RECORDS_PER_SECOND, stalled: false },
  { name: 'aggregator stalled', wantedPerSecond: STEADY_RECORDS_PER_SECOND, stalled: true },
  { name: 'without a limit', wantedPerSecond: 0, stalled: false },
];

/**
 * Measures records of PostgreSQL processes from many sockets, through a collector and its journal to an
 * aggregator.
 */
export async function measurePgLogfebe(directory: string): Promise<readonly PgLogfebeRun[]> {
  const runs: PgLogfebeRun[] = [];
  for (const course of COURSES) runs.push(await run(course, directory));
  return runs;
}

async function run(course: Course, directory: string): Promise<PgLogfebeRun> {
  // A socket's path must be short.
  const serves = await mkdtemp(join(tmpdir(), 'febe-'));
  const paths = Array.from({ length: SOCKETS }, (_, index) => join(serves, `${index}.sock`));
  await submit(serves, paths);
  const pair = await layOutPair({
    directory,
    collectorEnv: { SERVE_DB_DIR: serves, COLLECTOR_JOURNAL_MAX_BYTES: '4GiB' },
    aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms' },
  });
  const aggregator = pair.startAggregator();
  const collector = pair.startCollector();
  try {
    await untilReady(aggregator, pair.aggregatorHttp);
    await untilReady(collector, pair.collectorHttp);
    await sleep(1000);
    if (course.stalled) aggregator.signal('SIGSTOP');
    const before = [collector, aggregator].map(({ pid }) => cpuSeconds(pid));
    const sending = await send({
      paths,
      identity: IDENTITY,
      recordsPerSecond: course.wantedPerSecond,
      seconds: SECONDS,
    });
    const sentAt = performance.now();
    const lostRecords = await untilJournaled(pair, sending.records);
    if (!course.stalled) await untilAccepted(pair, sending.records - lostRecords);
    const perMillion = 1e6 / sending.records;
    const [collectorCpu = Number.NaN, aggregatorCpu = Number.NaN] = [collector, aggregator].map(
      ({ pid }, index) => (cpuSeconds(pid) - (before[index] ?? 0)) * perMillion,
    );
    return {
      name: course.name,
      wantedPerSecond: course.wantedPerSecond,
      recordsPerSecond: sending.records / sending.seconds,
      megabytesPerSecond: sending.bytes / 1e6 / sending.seconds,
      lostRecords,
      waitedWrites: sending.waitedWrites,
      slowestWriteMs: sending.slowestWriteMs,
      collectorCpu,
      aggregatorCpu,
      collectorPeakBytes: peakMemoryBytes(collector.pid),
      aggregatorPeakBytes: peakMemoryBytes(aggregator.pid),
      behindSeconds: course.stalled ? Number.NaN : (performance.now() - sentAt) / 1000,
    };
  } finally {
    await collector.kill();
    await aggregator.kill();
    await rm(directory, { recursive: true, force: true });
    await rm(serves, { recursive: true, force: true });
  }
}

async function submit(serves: string, paths: readonly string[]): Promise<void> {
  const records = paths.map((p) => ({ i: IDENTITY, p, url: 'https://token:unused@localhost/logs' }));
  await writeFile(join(serves, 'draft'), JSON.stringify({ serves: records }));
  await rename(join(serves, 'draft'), join(serves, 'serves.new'));
}

async function send(plan: FebeSenderPlan): Promise<FebeSending> {
  const program = fileURLToPath(new URL('../febe-sender.js', import.meta.url));
  const output = await runCommand({
    name: 'sender',
    command: process.execPath,
    args: [program, JSON.stringify(plan)],
  });
  return JSON.parse(output) as FebeSending;
}

/** Waits until everything is on the disk of the collector, or lost; returns the number of lost records. */
async function untilJournaled({ collectorHttp }: Pair, records: number): Promise<number> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const metrics = await (await fetch(`http://${collectorHttp}/metrics`)).text();
    const value = (name: string) =>
      Number(new RegExp(`^collector_pg_logfebe_journal_${name}_total (\\d+)`, 'm').exec(metrics)?.[1] ?? 0);
    const lost = value('lost_records');
    // Each stream that lost records has one more record, which reports the loss.
    if (value('records') + lost >= records) return lost;
    if (Date.now() > deadline) throw new Error(`only ${value('records')} of ${records} were journaled`);
    await sleep(50);
  }
}

async function untilAccepted({ aggregatorState }: Pair, records: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const { accepted } = await aggregatorStatus(aggregatorState);
    if (accepted.records >= records) return;
    if (Date.now() > deadline) throw new Error(`only ${accepted.records} of ${records} were accepted`);
    await sleep(20);
  }
}
