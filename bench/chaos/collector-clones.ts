import {
  copyFileSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../testkit/free-ports.ts';
import type { Pair } from '../../testkit/pair.ts';
import { readCollectorBalance } from '../../testkit/product.ts';
import type { Random } from '../../testkit/random.ts';
import { runCommand } from '../../testkit/running-process.ts';
import type { ChaosWriter, WrittenLog } from './chaos-writer.ts';
import { CloneWriter } from './clone-writer.ts';
import type { Fault } from './faults.ts';
import { Supervised } from './supervised.ts';

export interface ClonesReport {
  readonly started: number;
  /** Lines in the logs of the processes that report two collectors with one identity, or other bytes of a stream. */
  readonly reportedLines: number;
  /** Clones that had not sent all of their files in time. */
  readonly unfinished: number;
}

export interface ClonesPlan {
  readonly pair: Pair;
  /** Of the run. */
  readonly directory: string;
  readonly writer: ChaosWriter;
  readonly collector: Supervised;
  readonly random: Random;
  readonly say: (text: string) => void;
}

/** The names of a clone's logs end with its number. */
const MAX_CLONES = 10;
/** Shorter files are told apart by their inode, and the file of a clone has another one. */
const MIN_LOG_BYTES = 200;
const DRAIN_TIMEOUT_MS = 60_000;
const CLONE_TIMEOUT_MS = 120_000;
const POLL_MS = 300;
/** A process that has just started may not have looked at its files yet. */
const QUIET_POLLS = 3;
const REPORTED = /with the id of this one|other bytes (of|under) this stream|two running collectors/i;

interface RunningClone {
  readonly clone: Supervised;
  readonly writer: CloneWriter;
  readonly state: string;
  /** Of all commands that look at its files. */
  readonly wrapper: readonly string[];
}

/**
 * A host that was cloned while it ran: a copy of the collector's state, and of its files at the same paths. Both
 * continue to be written, with lines of the same length whose ends are equal. The clone has a mount namespace of its
 * own, so that its files are at the paths which its state names. A rotated file is the same inode in both.
 *
 * The state is copied when all lines so far are accepted. So each line is in one output only, and comes out once.
 */
export class CollectorClones {
  readonly fault: Fault;
  readonly written: WrittenLog[] = [];
  readonly #plan: ClonesPlan;
  #running: RunningClone | undefined;
  readonly ended: Supervised[] = [];
  #started = 0;
  #unfinished = 0;

  private constructor(plan: ClonesPlan) {
    this.#plan = plan;
    this.fault = {
      name: 'a clone of the collector runs',
      begin: () => this.#begin(),
      end: () => this.#end(),
    };
  }

  /** undefined: a mount namespace is not allowed here. */
  static async prepare(plan: ClonesPlan): Promise<CollectorClones | undefined> {
    try {
      await runCommand({ name: 'unshare', command: 'unshare', args: ['-m', 'true'] });
      return new CollectorClones(plan);
    } catch {
      plan.say('SKIPPED: clones of the collector, since a mount namespace is not possible here');
      return undefined;
    }
  }

  report(): ClonesReport {
    const { directory } = this.#plan;
    const logs = readdirSync(directory).filter((name) => name.endsWith('.stderr'));
    const lines = logs.flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'));
    const reportedLines = lines.filter((line) => REPORTED.test(line)).length;
    return { started: this.#started, reportedLines, unfinished: this.#unfinished };
  }

  async stop(): Promise<void> {
    this.#running?.writer.stop();
    await this.#running?.clone.end();
  }

  async #begin(): Promise<void> {
    const { writer, collector, pair, say } = this.#plan;
    if (this.#started >= MAX_CLONES) return;
    writer.pause(MIN_LOG_BYTES);
    if (await isFinished({ state: pair.collectorState, wrapper: [] }, DRAIN_TIMEOUT_MS)) {
      await collector.askToStop();
      await this.#clone();
      collector.start();
    } else say('SKIPPED: a clone, since the collector does not come to the end of its files');
    writer.start();
  }

  async #clone(): Promise<void> {
    const { pair, directory, writer, random } = this.#plan;
    const number = this.#started++;
    const home = join(directory, `clone-${number}`);
    const state = join(dirname(pair.collectorState), `clone-${number}`);
    const binds = [pair.logDirectory, writer.targetDirectory].map((original, index) => {
      const copy = join(home, String(index));
      copyLogs(original, copy);
      return { original, copy };
    });
    cpSync(pair.collectorState, state, { recursive: true, filter: isFileOrDirectory });
    const [port] = await freePorts(1);
    const env = { COLLECTOR_STATE_DIRECTORY: state, COLLECTOR_HTTP_ADDRESS: `127.0.0.1:${port}` };
    const wrapper = withBinds(binds);
    const clone = new Supervised({
      name: `clone ${number} of the collector`,
      stderrPath: join(directory, `clone-${number}.stderr`),
      currentFault: () => this.fault,
      onStarted: () => {},
      start: (hooks) => pair.startCollector({ ...hooks, env, wrapper }),
    });
    const cloneWriter = new CloneWriter(writer.places(binds), number, random);
    this.#running = { clone, writer: cloneWriter, state, wrapper };
    clone.start();
    cloneWriter.start();
  }

  async #end(): Promise<void> {
    if (this.#running === undefined) return;
    const { clone, writer, state, wrapper } = this.#running;
    this.written.push(...writer.stop());
    await clone.kill();
    clone.start();
    if (!(await isFinished({ state, wrapper }, CLONE_TIMEOUT_MS))) this.#unfinished += 1;
    await clone.askToStop();
    await clone.end();
    this.ended.push(clone);
    rmSync(state, { recursive: true });
    this.#running = undefined;
  }
}

/** Whether all bytes of the collector's files are accepted before the time is over. */
async function isFinished(
  { state, wrapper }: Pick<RunningClone, 'state' | 'wrapper'>,
  timeoutMs: number,
): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  for (let quiet = 0; quiet < QUIET_POLLS; ) {
    if (performance.now() > deadlineMs) return false;
    const balance = await readCollectorBalance(state, wrapper).catch(() => undefined);
    quiet = balance?.waiting === 0 && balance.unread === 0 ? quiet + 1 : 0;
    await sleep(POLL_MS);
  }
  return true;
}

/** A file that is written is copied; a rotated one is the same file. */
function copyLogs(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const [path, copy] = [join(from, name), join(to, name)];
    if (lstatSync(path).isSymbolicLink()) cpSync(path, copy, { verbatimSymlinks: true });
    else if (name.endsWith('.log')) copyFileSync(path, copy);
    else linkSync(path, copy);
  }
}

function isFileOrDirectory(path: string): boolean {
  const stats = lstatSync(path);
  return stats.isFile() || stats.isDirectory();
}

interface Bind {
  readonly original: string;
  readonly copy: string;
}

/** A command that runs its arguments where each original directory is the copy. */
function withBinds(binds: readonly Bind[]): string[] {
  const mounts = binds.map((_, index) => `mount --bind "$${2 * index + 1}" "$${2 * index + 2}"`);
  const script = `${mounts.join(' && ')} && shift ${2 * binds.length} && exec "$@"`;
  const paths = binds.flatMap(({ original, copy }) => [copy, original]);
  return ['unshare', '-m', 'bash', '-c', script, 'clone', ...paths];
}
