import { link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../testkit/free-ports.ts';
import { cpuSeconds, peakMemoryBytes } from '../testkit/process-usage.ts';
import { runCommand } from '../testkit/running-process.ts';
import type { WrittenLog } from './access-log.ts';
import { compareFiles } from './compare-files.ts';
import { compareLines } from './compare-lines.ts';
import { type Contender, type Course, type Halves, LOG_NAME } from './contender.ts';
import { startDelayingProxy } from './delaying-proxy-process.ts';
import { findOutput, type OutputProgress, outputProgress } from './output-progress.ts';

export interface Transfer {
  /** Time from the appearance of the log to its last byte in the output. */
  readonly seconds: number;
  readonly sender: HalfUsage;
  readonly receiver: HalfUsage;
  /** CPU time of the parts between the halves, by name. */
  readonly between?: ReadonlyMap<string, number>;
  /** undefined: the output equals the log, byte for byte, or has the same lines in another order. */
  readonly difference: string | undefined;
  /** `identical`, `another order` or `counted`: the extent of the comparison. */
  readonly equality: Equality;
}

export type Equality = 'identical' | 'another order' | 'counted';

export interface HalfUsage {
  /** CPU time during the transfer; the start is not counted. */
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

export interface TransferPlan {
  readonly contender: Contender;
  readonly log: WrittenLog;
  /** Emptied before and after. */
  readonly directory: string;
  /** Delay each way; 0: no proxy. */
  readonly delayMs: number;
}

const SETTLE_MS = 1000;
const STALLED_AFTER_MS = 60_000;

/**
 * One run: both halves are started and become idle, then the complete log appears in the watched directory. A
 * log that is complete from the start is the worst case for a tail, and the same for all contenders.
 */
export async function runTransfer(plan: TransferPlan): Promise<Transfer> {
  const { contender, directory } = plan;
  await rm(directory, { recursive: true, force: true });
  const course = await layOutCourse(directory);
  const proxy =
    plan.delayMs > 0
      ? await startDelayingProxy({ ...course, delayMs: plan.delayMs, listenPort: course.connectPort })
      : undefined;
  // Flushes the previous run's data, so that it does not affect this one.
  await runCommand({ name: 'sync', command: 'sync' });
  const halves = await contender.start(proxy ? course : { ...course, connectPort: course.receiverPort });
  try {
    await sleep(SETTLE_MS);
    requireBothAlive(halves);
    const measured = await measure(halves, course, plan);
    return { ...measured, ...(await compareOutput(plan, course)) };
  } finally {
    await halves.sender.kill();
    await halves.receiver.kill();
    await halves.end?.();
    await proxy?.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function layOutCourse(directory: string): Promise<Course> {
  const logDirectory = join(directory, 'logs');
  const outputDirectory = join(directory, 'output');
  await mkdir(logDirectory, { recursive: true });
  await mkdir(outputDirectory, { recursive: true });
  return {
    directory,
    logDirectory,
    outputPath: join(outputDirectory, 'output.log'),
    receiverPort: await freePort(),
    connectPort: await freePort(),
  };
}

async function measure(
  halves: Halves,
  course: Course,
  { log, contender }: TransferPlan,
): Promise<Omit<Transfer, 'difference' | 'equality'>> {
  const { sender, receiver, between = [] } = halves;
  const betweenCpu = between.map((part) => part.cpuSeconds());
  const senderCpu = cpuSeconds(sender.pid);
  const receiverCpu = cpuSeconds(receiver.pid);
  const began = performance.now();
  await link(log.path, join(course.logDirectory, LOG_NAME));
  await untilComplete(outputProgress(course, log, contender.recordMark), halves);
  await halves.finished;
  const seconds = (performance.now() - began) / 1000;
  return {
    seconds,
    sender: {
      cpuSeconds: cpuSeconds(sender.pid) - senderCpu,
      peakMemoryBytes: peakMemoryBytes(sender.pid),
    },
    receiver: {
      cpuSeconds: cpuSeconds(receiver.pid) - receiverCpu,
      peakMemoryBytes: peakMemoryBytes(receiver.pid),
    },
    between: new Map(between.map((part, index) => [part.name, part.cpuSeconds() - (betweenCpu[index] ?? 0)])),
  };
}

async function untilComplete(progress: OutputProgress, halves: Halves): Promise<void> {
  let reached = 0;
  let grewAt = performance.now();
  while (reached < progress.complete) {
    await sleep(5);
    const now = await progress.now();
    if (now !== reached) grewAt = performance.now();
    reached = now;
    requireBothAlive(halves);
    if (performance.now() - grewAt > STALLED_AFTER_MS) {
      const errors = `${halves.sender.stderr.slice(-1500)}\n${halves.receiver.stderr.slice(-1500)}`;
      throw new Error(`stalled with ${reached} of ${progress.complete} in the output\n${errors}`);
    }
  }
}

function requireBothAlive({ sender, receiver }: Halves): void {
  const dead = [sender, receiver].find(({ exit }) => exit !== undefined);
  if (dead !== undefined) throw new Error(`${dead.name} ended: ${dead.stderr.slice(-2000)}`);
}

async function compareOutput(
  { log, contender }: TransferPlan,
  course: Course,
): Promise<Pick<Transfer, 'difference' | 'equality'>> {
  if (contender.recordMark !== undefined) return { difference: undefined, equality: 'counted' };
  const output = (await findOutput(course)) ?? course.outputPath;
  const comparison = await compareFiles(log.path, output);
  if (comparison.identical) return { difference: undefined, equality: 'identical' };
  if (contender.keepsOrder !== false) return { difference: comparison.difference, equality: 'identical' };
  return { difference: await compareLines(log.path, output), equality: 'another order' };
}
