import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { documentedDatabase, STORE_ROLE } from './documented-database.ts';
import { freePort } from './free-ports.ts';
import { RunningProcess, runCommand } from './running-process.ts';

export interface OwnPostgresPlan {
  /** Created here; its parent directories must be accessible to other users. */
  readonly directory: string;
  /** Settings in addition to PostgreSQL's defaults, which are Debian's. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly onStderr?: (chunk: Buffer) => void;
}

const INSTALLED = '/usr/lib/postgresql';
const USER = 'postgres';
const READY_TIMEOUT_MS = 60_000;

/**
 * A private PostgreSQL server on a free port of 127.0.0.1, in its own directory, which ends with this
 * process. Its processes are known individually, so that they can be killed and suspended.
 */
export class OwnPostgres {
  readonly version: string;
  readonly port: number;
  readonly #programs: string;
  readonly #data: string;
  readonly #onStderr: ((chunk: Buffer) => void) | undefined;
  #server: RunningProcess | undefined;

  private constructor(plan: OwnPostgresPlan, programs: string, port: number) {
    this.version = programs.split('/').at(-2) ?? 'unknown';
    this.port = port;
    this.#programs = programs;
    this.#data = join(plan.directory, 'data');
    this.#onStderr = plan.onStderr;
  }

  /** Whether this machine has a PostgreSQL that this user may run. */
  static isInstalled(): boolean {
    return installedPrograms() !== undefined && (!isRoot() || userId() !== undefined);
  }

  /** Creates a new server without starting it. */
  static async create(plan: OwnPostgresPlan): Promise<OwnPostgres> {
    const { directory, settings = {} } = plan;
    const programs = installedPrograms();
    const user = isRoot() ? userId() : undefined;
    if (programs === undefined || (isRoot() && user === undefined)) {
      throw new Error('PostgreSQL is not installed (apt-get install postgresql)');
    }
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o755);
    if (user !== undefined) chownSync(directory, user, user);
    const server = new OwnPostgres(plan, programs, await freePort());
    const options = ['-D', server.#data, '-A', 'trust', '-U', USER, '-N', '--no-locale', '-E', 'UTF8'];
    await runCommand({ name: 'initdb', ...server.#program('initdb', options), cwd: directory });
    const all = {
      listen_addresses: '127.0.0.1',
      port: String(server.port),
      unix_socket_directories: '',
      ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`);
    writeFileSync(join(server.#data, 'postgresql.auto.conf'), lines.join(''));
    return server;
  }

  /** `port`: the port of a proxy. `user`: default is the superuser. */
  url(database = USER, port = this.port, user = USER): string {
    return `postgres://${user}@127.0.0.1:${port}/${database}`;
  }

  /**
   * Resolves when the server answers. Children of a killed server may still be ending, so the start is
   * repeated until the server keeps running.
   */
  async start(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (!(await this.#answers())) {
      if (performance.now() > deadline) {
        throw new Error(`PostgreSQL did not start: ${this.#server?.stderr.slice(-2000)}`);
      }
      if (this.#server === undefined || this.#server.exit !== undefined) {
        this.#server = RunningProcess.start({
          name: 'postgres',
          ...this.#program('postgres', ['-D', this.#data]),
          cwd: this.#data,
          ...(this.#onStderr && { onStderr: this.#onStderr }),
        });
      }
      await sleep(50);
    }
  }

  /** Stops in order: sessions are ended, a checkpoint is written. Can be called twice. */
  async stop(): Promise<void> {
    this.thaw();
    this.#server?.signal('SIGINT');
    await this.#server?.exited;
  }

  /** Like `pg_ctl stop -m immediate`: does not wait for clients, and writes nothing. */
  async stopImmediately(): Promise<void> {
    this.#server?.signal('SIGQUIT');
    await this.#server?.exited;
  }

  /** Sends SIGKILL to all its processes at once. Does nothing if it is not running. */
  async kill(): Promise<void> {
    for (const each of this.#processes()) signal(each, 'SIGKILL');
    await this.#server?.exited;
  }

  /** Sends SIGKILL to one session; the server ends all others and recovers. false: there is none. */
  killSession(pick: (sessions: readonly number[]) => number): boolean {
    const sessions = this.#children().filter((child) => commandLine(child).includes('127.0.0.1'));
    if (sessions.length === 0) return false;
    signal(pick(sessions), 'SIGKILL');
    return true;
  }

  freeze(): void {
    for (const each of this.#processes()) signal(each, 'SIGSTOP');
  }

  thaw(): void {
    for (const each of this.#processes()) signal(each, 'SIGCONT');
  }

  /** The CPU time of the server and its children, including ended ones. */
  get cpuSeconds(): number {
    const own = this.#server === undefined ? 0 : ticks(this.#server.pid, ['own', 'waited for']);
    return this.#children().reduce((sum, child) => sum + ticks(child, ['own']), own) / TICKS_PER_SECOND;
  }

  /** Opens one connection, which is closed in any case. */
  async query<T>(use: (client: pg.Client) => Promise<T>, database = USER): Promise<T> {
    const client = await this.connect(database);
    try {
      return await use(client);
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** A database and an ordinary role for a store, as docs/store.md sets them up. */
  async createStoreDatabase(name: string): Promise<void> {
    await this.query(async (client) => {
      const { rowCount } = await client.query('select from pg_roles where rolname = $1', [STORE_ROLE]);
      for (const statement of documentedDatabase(name, { withRole: rowCount === 0 }))
        await client.query(statement);
    });
  }

  async connect(database = USER): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.url(database) });
    // A killed server also causes an error of the query.
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async #answers(): Promise<boolean> {
    if (this.#server === undefined || this.#server.exit !== undefined) return false;
    return await this.query(async (client) => {
      await client.query('select 1');
      return true;
    }).catch(() => false);
  }

  #processes(): number[] {
    const server = this.#server;
    return server === undefined || server.exit !== undefined ? [] : [server.pid, ...this.#children()];
  }

  #children(): number[] {
    const server = this.#server;
    if (server === undefined || server.exit !== undefined) return [];
    const path = `/proc/${server.pid}/task/${server.pid}/children`;
    return readText(path)
      .split(' ')
      .filter((text) => text !== '')
      .map(Number);
  }

  /** PostgreSQL does not run as root. */
  #program(name: string, args: readonly string[]): { command: string; args: readonly string[] } {
    const program = join(this.#programs, name);
    if (!isRoot()) return { command: program, args };
    const become = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--', program];
    return { command: 'setpriv', args: [...become, ...args] };
  }
}

const TICKS_PER_SECOND = 100;

function ticks(pid: number, whose: readonly ('own' | 'waited for')[]): number {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const at = (index: number) => Number(fields[index] ?? 0);
  return whose.reduce((sum, each) => sum + (each === 'own' ? at(11) + at(12) : at(13) + at(14)), 0);
}

function commandLine(pid: number): string {
  return readText(`/proc/${pid}/cmdline`);
}

/** Empty if the process has ended. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function installedPrograms(): string | undefined {
  if (!existsSync(INSTALLED)) return undefined;
  return readdirSync(INSTALLED)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(INSTALLED, version, 'bin'))
    .find((directory) => existsSync(join(directory, 'initdb')));
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function userId(): number | undefined {
  try {
    return Number(execFileSync('id', ['-u', USER], { stdio: 'pipe' }).toString());
  } catch {
    return undefined;
  }
}
