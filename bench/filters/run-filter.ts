import { link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, peakMemoryBytes } from '../../testkit/process-usage.ts';
import { type RunningProcess, runCommand } from '../../testkit/running-process.ts';
import { LOG_NAME } from '../contender.ts';
import { outputProgress } from '../output-progress.ts';
import type { FilterContender, FilterCourse } from './filter-contender.ts';
import type { FilterLog } from './filter-log.ts';
import { compareFiltered } from './filtered-output.ts';

/** A run with a correct output. */
export interface FilterRun {
  /** From the appearance of the log to the last record in the output. */
  readonly seconds: number;
  /** CPU time during the run; the start is not counted. */
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

export interface FilterRunPlan {
  readonly contender: FilterContender;
  readonly log: FilterLog;
  /** Emptied before and after. */
  readonly directory: string;
}

const SETTLE_MS = 1000;
const LOOK_EVERY_MS = 5;
const STALLED_AFTER_MS = 60_000;

/** One run: the program is started and becomes idle, then the log appears. Throws if the output is not correct. */
export async function runFilter({ contender, log, directory }: FilterRunPlan): Promise<FilterRun> {
  await rm(directory, { recursive: true, force: true });
  const course = await layOutCourse(directory);
  try {
    // Flushes the previous run's data, so that it does not affect this one.
    await runCommand({ name: 'sync', command: 'sync' });
    const program = await contender.start(course);
    try {
      await sleep(SETTLE_MS);
      requireAlive(program);
      const run = await measure(program, course, log);
      await program.stop();
      const difference = await compareFiltered(course.outputPath, log.expected, (line) =>
        contender.read(line),
      );
      if (difference !== undefined) throw new Error(`the output is wrong: ${difference}`);
      return run;
    } finally {
      await program.kill();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function layOutCourse(directory: string): Promise<FilterCourse> {
  const logDirectory = join(directory, 'logs');
  const outputDirectory = join(directory, 'output');
  await mkdir(logDirectory, { recursive: true });
  await mkdir(outputDirectory, { recursive: true });
  return { directory, logDirectory, outputPath: join(outputDirectory, 'output.log') };
}

async function measure(program: RunningProcess, course: FilterCourse, log: FilterLog): Promise<FilterRun> {
  const before = cpuSeconds(program.pid);
  const began = performance.now();
  await link(log.path, join(course.logDirectory, LOG_NAME));
  await untilComplete(program, course, log);
  return {
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: cpuSeconds(program.pid) - before,
    peakMemoryBytes: peakMemoryBytes(program.pid),
  };
}

async function untilComplete(program: RunningProcess, course: FilterCourse, log: FilterLog): Promise<void> {
  const { records } = log.expected;
  const progress = outputProgress(course, { bytes: log.bytes, lines: records }, '\n');
  let reached = 0;
  let grewAt = performance.now();
  while (reached < records) {
    await sleep(LOOK_EVERY_MS);
    const now = await progress.now();
    if (now !== reached) grewAt = performance.now();
    reached = now;
    requireAlive(program);
    if (performance.now() - grewAt > STALLED_AFTER_MS)
      throw new Error(`stalled with ${reached} of ${records} records in the output\n${lastWords(program)}`);
  }
}

function requireAlive(program: RunningProcess): void {
  if (program.exit !== undefined) throw new Error(`${program.name} ended: ${lastWords(program)}`);
}

function lastWords({ stderr }: RunningProcess): string {
  return stderr.slice(-2000);
}
