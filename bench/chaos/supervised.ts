import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit, RunningProcess } from '../../testkit/running-process.ts';

/** An unexpected exit. */
export interface OwnEnd {
  readonly name: string;
  readonly exit: Exit;
  /** The active faults at that moment. */
  readonly fault: string;
  /**
   * The process was running during a fault that may end a process (a disk without any space); this must not
   * lose data.
   */
  readonly excused: boolean;
  readonly lastWords: string;
}

export interface SupervisedPlan {
  readonly name: string;
  readonly start: (hooks: { onStderr: (chunk: Buffer) => void }) => RunningProcess;
  /** The stderr of all its runs. */
  readonly stderrPath: string;
  readonly currentFault: () => { readonly name: string; readonly mayEndProcesses?: true };
  readonly onStarted: (process: RunningProcess) => void;
}

const RESTART_DELAY_MS = 500;
const STOP_TIMEOUT_MS = 30_000;
const MAX_OWN_ENDS = 100;

/** A process that is restarted whenever it ends, like under a service manager, until it is stopped. */
export class Supervised {
  readonly ownEnds: OwnEnd[] = [];
  readonly #plan: SupervisedPlan;
  #process: RunningProcess | undefined;
  #wanted = false;
  #isOver = false;
  #harmed = false;

  constructor(plan: SupervisedPlan) {
    this.#plan = plan;
  }

  get name(): string {
    return this.#plan.name;
  }

  get process(): RunningProcess | undefined {
    return this.#process;
  }

  start(): void {
    if (this.#isOver) return;
    this.#wanted = true;
    const { name, stderrPath, start, onStarted, currentFault } = this.#plan;
    const child = start({ onStderr: (chunk) => appendFileSync(stderrPath, chunk) });
    appendFileSync(stderrPath, `--- ${name} started, process ${child.pid}\n`);
    this.#process = child;
    this.#harmed = currentFault().mayEndProcesses === true;
    onStarted(child);
    void child.exited.then((exit) => this.#ended(child, exit));
  }

  /** The process runs during a fault that may end processes, possibly later. */
  harm(): void {
    this.#harmed = true;
  }

  /** Kills the process without a restart. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.kill();
  }

  async kill(): Promise<void> {
    this.#wanted = false;
    await this.#process?.kill();
  }

  /** Suspends it, with all its state, until `thaw`. */
  freeze(): void {
    this.#process?.signal('SIGSTOP');
  }

  thaw(): void {
    this.#process?.signal('SIGCONT');
  }

  /** Sends SIGTERM; returns the exit as text: '0'. */
  async askToStop(): Promise<string> {
    this.#wanted = false;
    try {
      const exit = await this.#process?.stop(STOP_TIMEOUT_MS);
      if (exit === undefined) return 'nothing: it was not running';
      if (!this.#harmed || exit.signal !== 'SIGABRT') return String(exit.signal ?? exit.code);
      // The fault has damaged the memory of the process, which aborts when LMDB frees it.
      this.#noteOwnEnd(exit, this.#process?.stderr ?? '');
      return '0';
    } catch (error) {
      return (error as Error).message;
    }
  }

  async #ended(child: RunningProcess, exit: Exit): Promise<void> {
    if (!this.#wanted || child !== this.#process) return;
    this.#noteOwnEnd(exit, child.stderr);
    await sleep(RESTART_DELAY_MS);
    if (this.#wanted && child === this.#process && this.ownEnds.length < MAX_OWN_ENDS) this.start();
  }

  #noteOwnEnd(exit: Exit, stderr: string): void {
    const { name: fault } = this.#plan.currentFault();
    const lastWords = stderr.slice(-2000);
    // A SIGHUP may come before its handler is installed.
    const excused = this.#harmed || exit.signal === 'SIGHUP';
    this.ownEnds.push({ name: this.#plan.name, exit, fault, excused, lastWords });
  }
}
