import { link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnPostgres } from '../../testkit/own-postgres.ts';
import { cpuSeconds, peakMemoryBytes } from '../../testkit/process-usage.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';
import { runCommand } from '../../testkit/running-process.ts';
import type { WrittenLog } from '../access-log.ts';
import { LOG_NAME } from '../contender.ts';
import type { RunningIngest, StoreContender, StoreCourse, Stored } from './store-contender.ts';

export interface Ingest {
  /** From the moment the log appears to the moment its last row is committed. */
  readonly seconds: number;
  /** CPU time during the run; the start is not counted. */
  readonly senderCpuSeconds: number;
  /** 0: there is none. */
  readonly receiverCpuSeconds: number;
  /** Of the database server; 0: there is none. */
  readonly databaseCpuSeconds: number;
  readonly senderPeakBytes: number;
  readonly receiverPeakBytes: number;
  readonly stored: Stored;
}

export interface IngestPlan {
  readonly contender: StoreContender;
  readonly log: WrittenLog;
  /** undefined: there is none here. */
  readonly server: OwnPostgres | undefined;
  /** Emptied before and after. */
  readonly directory: string;
}

const DATABASE = 'course';
const SETTLE_MS = 1000;
const LOOK_EVERY_MS = 50;
const STALLED_AFTER_MS = 60_000;

/**
 * One run: everything is started and becomes idle, then the complete log appears in the watched directory.
 */
export async function runIngest({ contender, log, server, directory }: IngestPlan): Promise<Ingest> {
  await rm(directory, { recursive: true, force: true });
  const logDirectory = join(directory, 'logs');
  await mkdir(logDirectory, { recursive: true });
  await server?.createStoreDatabase(DATABASE);
  const postgres = server && { server, database: DATABASE };
  const course = { directory, logDirectory, postgres, rows: log.lines };
  try {
    // Flushes the previous run's data, so that it does not affect this one.
    await server?.query((client) => client.query('checkpoint'));
    await runCommand({ name: 'sync', command: 'sync' });
    const running = await contender.start(course);
    try {
      await sleep(SETTLE_MS);
      const measured = await measure(running, course, log);
      return { ...measured, stored: await running.finish() };
    } finally {
      await running.sender.kill();
      await running.receiver?.kill();
      await running.database?.kill();
    }
  } finally {
    await server?.query((client) => client.query(`drop database ${DATABASE} with (force)`));
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(
  running: RunningIngest,
  { postgres, logDirectory }: StoreCourse,
  log: WrittenLog,
): Promise<Omit<Ingest, 'stored'>> {
  const { sender, receiver, database } = running;
  const databaseCpu = () => database?.cpuSeconds() ?? postgres?.server.cpuSeconds ?? 0;
  const cpu = () => [cpuOf(sender), cpuOf(receiver), databaseCpu()];
  const before = cpu();
  const began = performance.now();
  await link(log.path, join(logDirectory, LOG_NAME));
  await untilStored(log.lines, running);
  const seconds = (performance.now() - began) / 1000;
  const [senderCpuSeconds = 0, receiverCpuSeconds = 0, databaseCpuSeconds = 0] = cpu().map(
    (now, index) => now - (before[index] ?? 0),
  );
  return {
    ...{ seconds, senderCpuSeconds, receiverCpuSeconds, databaseCpuSeconds },
    senderPeakBytes: peakMemoryBytes(sender.pid),
    receiverPeakBytes: receiver === undefined ? 0 : peakMemoryBytes(receiver.pid),
  };
}

function cpuOf(process: RunningProcess | undefined): number {
  return process === undefined ? 0 : cpuSeconds(process.pid);
}

async function untilStored(rows: number, running: RunningIngest): Promise<void> {
  let stored = 0;
  let grewAt = performance.now();
  while (stored < rows) {
    await sleep(LOOK_EVERY_MS);
    const now = await running.storedRows();
    if (now !== stored) grewAt = performance.now();
    stored = now;
    requireAlive(running);
    if (performance.now() - grewAt > STALLED_AFTER_MS) {
      throw new Error(`stalled with ${stored} of ${rows} rows\n${lastWords(running)}`);
    }
  }
}

function requireAlive(running: RunningIngest): void {
  const { sender, receiver } = running;
  if (sender.exit !== undefined || receiver?.exit !== undefined) {
    throw new Error(`a process has ended\n${lastWords(running)}`);
  }
}

function lastWords({ sender, receiver }: RunningIngest): string {
  return [sender, receiver].map((process) => process?.stderr.slice(-1500) ?? '').join('\n');
}
