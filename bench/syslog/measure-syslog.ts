import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { errorMessage } from '../../src/runtime/error-message.ts';
import { freePorts } from '../../testkit/free-ports.ts';
import { cpuSeconds } from '../../testkit/process-usage.ts';
import { type RunningProcess, runCommand } from '../../testkit/running-process.ts';
import { type UnpackedPackages, unpackDebianPackages } from '../peers/debian-packages.ts';
import { RSYSLOG_PACKAGES } from '../peers/rsyslog.ts';
import { benchMessage, MESSAGE_BYTES } from './bench-message.ts';
import type { Load, LoadPlan } from './load-generator.ts';
import {
  OUR_RECEIVER,
  rsyslogReceiver,
  type StartedReceiver,
  type SyslogReceiver,
  startOmrelp,
} from './syslog-receivers.ts';

/** One course, run by one receiver. */
export interface SyslogRun {
  readonly course: string;
  readonly receiver: string;
  /** From the first message until the last one is in the file. */
  readonly messagesPerSecond: number;
  readonly lost: number;
  /** CPU seconds of the receiver for a million messages. */
  readonly cpu: number;
  /** Messages per batch of the collector; undefined: it has no batches. */
  readonly batchMessages: number | undefined;
}

export interface SyslogSettings {
  readonly directory: string;
  readonly rounds: number;
  /** Messages of the courses for throughput. */
  readonly messages: number;
}

interface Course extends Omit<LoadPlan, 'port'> {
  readonly name: string;
  /** rsyslog sends instead of the load generator. */
  readonly isOmrelp?: boolean;
}

export const TCP_COURSE = 'TCP, one connection';
export const RELP_COURSE = 'RELP, window 128';
export const OMRELP_COURSE = 'omrelp, window 128';
export const UDP_COURSE = 'UDP, highest rate without a loss';
export const MANY_TCP_COURSE = '1,000 TCP connections';
export const MANY_UDP_COURSE = '1,000 UDP senders';
const WINDOW = 128;
/** librelp waits about 200 ms when its window is full, with every server: it sends about 600 messages/s. */
const OMRELP_MESSAGES = 6000;
/** A window is a round trip with two flushes. */
const RELP_MESSAGES = 100_000;
const MANY = 1000;
/** Of all senders: 10 messages of each in a second. */
const MANY_PER_SECOND = 10_000;
const MANY_SECONDS = 3;
const UDP_RATES = [10_000, 20_000, 30_000, 40_000, 60_000, 80_000, 100_000, 150_000];
const UDP_SECONDS = 3;
const STALLED_AFTER_MS = 30_000;
/** A UDP receiver has written everything that it received, also on a busy machine. Only runs with losses wait. */
const QUIET_MS = 10_000;

/** All receivers in turn, so that other load on the machine affects all equally. */
export async function measureSyslog(
  settings: SyslogSettings,
  say: (text: string) => void,
): Promise<readonly SyslogRun[]> {
  const packages = await unpackDebianPackages(RSYSLOG_PACKAGES).catch((error: Error) => {
    say(`SKIPPED rsyslog: ${error.message}`);
    return undefined;
  });
  const receivers = [OUR_RECEIVER, ...(packages === undefined ? [] : [rsyslogReceiver(packages)])];
  const runs: SyslogRun[] = [];
  const measure = async (course: Course, receiver: SyslogReceiver): Promise<SyslogRun | undefined> => {
    try {
      const run = await runCourse({ course, receiver, packages, directory: settings.directory });
      say(
        `${course.name}, ${receiver.name}: ${Math.round(run.messagesPerSecond)} messages/s, ${run.lost} lost`,
      );
      return run;
    } catch (error) {
      say(`FAILED ${course.name}, ${receiver.name}: ${errorMessage(error)}`);
      return undefined;
    }
  };
  for (let round = 0; round < settings.rounds; round++)
    for (const course of throughputCourses(settings.messages, packages !== undefined))
      for (const receiver of round % 2 === 0 ? receivers : receivers.toReversed()) {
        const run = await measure(course, receiver);
        if (run !== undefined) runs.push(run);
      }
  for (const receiver of receivers) {
    const best = await highestUdpRate((course) => measure(course, receiver));
    if (best !== undefined) runs.push(best);
  }
  return runs;
}

function throughputCourses(messages: number, hasRsyslog: boolean): readonly Course[] {
  const many = { senders: MANY, messages: MANY_PER_SECOND * MANY_SECONDS, perSecond: MANY_PER_SECOND };
  const courses: readonly Course[] = [
    { name: TCP_COURSE, transport: 'tcp', senders: 1, messages },
    {
      ...{ name: RELP_COURSE, transport: 'relp', senders: 1, window: WINDOW },
      messages: Math.min(messages, RELP_MESSAGES),
    },
    {
      ...{ name: OMRELP_COURSE, transport: 'relp', senders: 1, window: WINDOW, isOmrelp: true },
      messages: Math.min(messages, OMRELP_MESSAGES),
    },
    { name: MANY_TCP_COURSE, transport: 'tcp', ...many },
    { name: MANY_UDP_COURSE, transport: 'udp', ...many },
  ];
  return courses.filter(({ isOmrelp }) => hasRsyslog || isOmrelp !== true);
}

/** Increases the rate until a message is lost. */
async function highestUdpRate(
  measure: (course: Course) => Promise<SyslogRun | undefined>,
): Promise<SyslogRun | undefined> {
  let best: SyslogRun | undefined;
  for (const perSecond of UDP_RATES) {
    const messages = perSecond * UDP_SECONDS;
    const run = await measure({ name: UDP_COURSE, transport: 'udp', senders: 8, messages, perSecond });
    if (run === undefined || run.lost > 0) break;
    // The generator may not reach the rate.
    if (best !== undefined && run.messagesPerSecond <= best.messagesPerSecond) break;
    best = run;
  }
  return best;
}

interface RunPlan {
  readonly course: Course;
  readonly receiver: SyslogReceiver;
  readonly packages: UnpackedPackages | undefined;
  readonly directory: string;
}

async function runCourse({ course, receiver, packages, directory }: RunPlan): Promise<SyslogRun> {
  const [port = 0] = await freePorts(1);
  await mkdir(directory, { recursive: true });
  const started = await receiver.start({ transport: course.transport, port, directory });
  const senders: RunningProcess[] = [];
  try {
    const before = cpuOf(started);
    const begin = performance.now();
    let load: Load = { messages: course.messages, seconds: 0 };
    if (course.isOmrelp && packages !== undefined) {
      const logPath = join(directory, 'sent.log');
      senders.push(await startOmrelp(packages, { directory, port, logPath, window: WINDOW }));
      await writeLog(logPath, course.messages);
    } else load = await generate({ ...course, port });
    const written = await untilWritten(started, course);
    const seconds = course.transport === 'udp' ? load.seconds : (written.at - begin) / 1000;
    const batches = await started.batches?.();
    return {
      ...{ course: course.name, receiver: receiver.name },
      messagesPerSecond: written.messages / seconds,
      lost: course.messages - written.messages,
      cpu: ((cpuOf(started) - before) * 1e6) / course.messages,
      batchMessages: batches === undefined ? undefined : written.messages / batches,
    };
  } finally {
    for (const process of [...senders, ...started.processes]) await process.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

function cpuOf({ processes }: StartedReceiver): number {
  return processes.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
}

async function generate(plan: LoadPlan): Promise<Load> {
  const program = fileURLToPath(new URL('./load-generator.js', import.meta.url));
  const output = await runCommand(
    { name: 'load generator', command: process.execPath, args: [program, JSON.stringify(plan)] },
    600_000,
  );
  return JSON.parse(output) as Load;
}

const LINES_OF_A_WRITE = 10_000;

async function writeLog(path: string, messages: number): Promise<void> {
  const parts: string[] = [];
  for (let first = 0; first < messages; first += LINES_OF_A_WRITE) {
    const count = Math.min(LINES_OF_A_WRITE, messages - first);
    parts.push(`${Array.from({ length: count }, (_, index) => benchMessage(first + index)).join('\n')}\n`);
  }
  await writeFile(`${path}.new`, parts.join(''));
  await rename(`${path}.new`, path);
}

/** The messages in the file, and when the last one was written. */
async function untilWritten(
  { outputPath, processes }: StartedReceiver,
  { messages, transport }: Course,
): Promise<{ readonly messages: number; readonly at: number }> {
  const due = messages * (MESSAGE_BYTES + 1);
  let size = 0;
  let changedAt = performance.now();
  while (performance.now() - changedAt < (transport === 'udp' ? QUIET_MS : STALLED_AFTER_MS)) {
    const now = existsSync(outputPath) ? (await stat(outputPath)).size : 0;
    if (now !== size) changedAt = performance.now();
    size = now;
    if (size >= due) break;
    const ended = processes.find(({ exit }) => exit !== undefined);
    if (ended !== undefined) throw new Error(`${ended.name} ended: ${ended.stderr.slice(-1000)}`);
    await sleep(5);
  }
  if (transport !== 'udp' && size < due) throw new Error(`${size} of ${due} bytes were written`);
  return { messages: await messagesIn(outputPath), at: changedAt };
}

/** The output may have records about losses too. */
async function messagesIn(path: string): Promise<number> {
  const output = existsSync(path) ? await readFile(path) : Buffer.alloc(0);
  let found = 0;
  for (let at = output.indexOf(MARK); at !== -1; at = output.indexOf(MARK, at + MESSAGE_BYTES)) found++;
  return found;
}

const MARK = '<134>1 2026-11-28T10:00:00.123456Z web1 shop';
