import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessPlan {
  /** The name for messages. */
  readonly name: string;
  readonly command: string;
  readonly args?: readonly string[];
  /** Everything that it gets besides PATH, HOME and LANG. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Without it stdout is thrown away. */
  readonly onStdout?: (chunk: Buffer) => void;
  readonly onStderr?: (chunk: Buffer) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const STDERR_KEPT_CHARS = 256 * 1024;
const DEFAULT_STOP_TIMEOUT_MS = 20_000;

/** Those that live; none of them outlives this process, except when it is killed itself. */
const living = new Set<RunningProcess>();
process.once('exit', () => {
  for (const child of living) child.signal('SIGKILL');
});

/**
 * A child process with the end of its stderr kept. It leads a process group of its own: a Ctrl-C on the terminal
 * reaches only us, and we stop things in order.
 */
export class RunningProcess {
  readonly name: string;
  readonly exited: Promise<Exit>;
  #child: ChildProcess;
  #exit: Exit | undefined;
  #stderr = '';

  private constructor(plan: ProcessPlan) {
    this.name = plan.name;
    this.#child = spawn(plan.command, plan.args ?? [], {
      cwd: plan.cwd,
      detached: true,
      env: { ...inherited(), ...plan.env },
      stdio: ['ignore', plan.onStdout === undefined ? 'ignore' : 'pipe', 'pipe'],
    });
    living.add(this);
    this.#child.stdout?.on('data', (chunk: Buffer) => plan.onStdout?.(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#keep(chunk.toString());
      plan.onStderr?.(chunk);
    });
    this.exited = new Promise((resolve) => {
      const ended = (exit: Exit) => {
        living.delete(this);
        this.#exit = exit;
        resolve(exit);
      };
      this.#child.once('close', (code, signal) => ended({ code, signal }));
      this.#child.once('error', (error) => {
        this.#keep(`${error.message}\n`);
        if (this.#child.pid === undefined) ended({ code: 127, signal: null });
      });
    });
  }

  static start(plan: ProcessPlan): RunningProcess {
    return new RunningProcess(plan);
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** undefined while it lives. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** What it wrote to stderr, at least the end of it. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Lets stdout wait in the pipe, as a slow reader would. */
  pauseStdout(): void {
    this.#child.stdout?.pause();
  }

  resumeStdout(): void {
    this.#child.stdout?.resume();
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#child.kill(signal);
  }

  async kill(): Promise<Exit> {
    this.signal('SIGKILL');
    this.resumeStdout();
    return await this.exited;
  }

  /** SIGTERM, then its exit. One that does not end in time is killed, and that is an error. */
  async stop(timeoutMs = DEFAULT_STOP_TIMEOUT_MS): Promise<Exit> {
    this.signal('SIGTERM');
    this.resumeStdout();
    const timeout = new AbortController();
    const late = sleep(timeoutMs, 'late' as const, { signal: timeout.signal }).catch(() => 'late' as const);
    const exit = await Promise.race([this.exited, late]);
    timeout.abort();
    if (exit !== 'late') return exit;
    await this.kill();
    throw new Error(
      `${this.name} did not stop within ${timeoutMs} ms of SIGTERM\n${this.#stderr.slice(-4000)}`,
    );
  }

  #keep(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARS);
  }
}

const COMMAND_TIMEOUT_MS = 60_000;

/** Runs a command to its end; throws with its stderr when that is not 0, or does not come. Returns stdout. */
export async function runCommand(
  plan: Omit<ProcessPlan, 'onStdout'>,
  timeoutMs = COMMAND_TIMEOUT_MS,
): Promise<string> {
  const chunks: Buffer[] = [];
  const child = RunningProcess.start({ ...plan, onStdout: (chunk) => void chunks.push(chunk) });
  const timeout = setTimeout(() => child.signal('SIGKILL'), timeoutMs);
  const { code, signal } = await child.exited;
  clearTimeout(timeout);
  if (code === 0) return Buffer.concat(chunks).toString();
  throw new Error(`${plan.name} ended with ${signal ?? code}: ${child.stderr.trim()}`);
}

function inherited(): Record<string, string> {
  const { PATH = '/usr/bin:/bin', HOME = '/', LANG = 'C.UTF-8' } = process.env;
  return { PATH, HOME, LANG };
}
