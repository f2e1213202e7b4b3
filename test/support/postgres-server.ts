import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { appendFile, chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, vi } from 'vitest';
import { documentedDatabase, STORE_ROLE } from '../../testkit/documented-database.ts';

const run = promisify(execFile);

/**
 * The directory of the programs of the newest installed PostgreSQL; undefined: none is installed, or this
 * user may not run it.
 */
export const POSTGRES_PROGRAMS = findPrograms();

export interface PostgresServer {
  /** Where its socket is: what a client takes for a host. */
  readonly socketDirectory: string;
  /** Where it writes `pg.csv`, `pg.json` and `pg.log`. */
  readonly logDirectory: string;
  /** Runs statements with psql, one session for each call; what fails in them fails nothing here. */
  sql(statements: string, options?: { readonly database?: string; readonly user?: string }): Promise<string>;
  /** A database, and the role `collector` for its tables, as docs/store.md sets them up. */
  createStoreDatabase(name: string): Promise<void>;
  /** Part of the socket's name; and where it listens, when the settings have `listen_addresses`. */
  readonly port: number;
  /** Stops it: all of its log is written then. */
  stop(): Promise<void>;
  /** SIGKILL, to all of its processes at once. */
  kill(): Promise<void>;
  /** After `stop` or `kill`; recovers. */
  start(): Promise<void>;
}

/** A server of its own in a temporary directory, reachable by a Unix socket alone; gone when the test has finished. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
  whenFinished: (cleanUp: () => Promise<void>) => void = onTestFinished,
): Promise<PostgresServer> {
  if (POSTGRES_PROGRAMS === undefined) throw new Error('PostgreSQL is not installed');
  const user = unprivilegedUser();
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-postgres-'));
  whenFinished(() => rm(directory, { recursive: true, force: true }));
  if (user.uid !== undefined) chownSync(directory, user.uid, user.gid ?? user.uid);
  await chmod(directory, 0o755);

  const programs = POSTGRES_PROGRAMS;
  const data = join(directory, 'data');
  const program = (name: string, args: readonly string[]) =>
    run(join(programs, name), args, { ...user, cwd: directory, env: { PATH: process.env.PATH ?? '' } });
  await program('initdb', ['-D', data, '-A', 'trust', '-U', 'postgres', '-N', '--no-locale', '-E', 'UTF8']);
  const all = {
    listen_addresses: '',
    unix_socket_directories: directory,
    port: '5432',
    logging_collector: 'on',
    log_directory: join(directory, 'log'),
    log_filename: 'pg.log',
    log_file_mode: '0644',
    fsync: 'off',
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value}'\n`);
  await appendFile(join(data, 'postgresql.conf'), lines.join(''));

  const stop = async () => {
    if (existsSync(join(data, 'postmaster.pid')))
      await program('pg_ctl', ['-D', data, '-w', '-m', 'fast', 'stop']);
  };
  const startNow = () =>
    program('pg_ctl', ['-D', data, '-w', '-s', '-l', join(directory, 'start.log'), 'start']);
  // What is left of a killed one may need a moment to be gone.
  const start = async () => void (await vi.waitFor(startNow, { timeout: 20_000, interval: 100 }));
  const kill = async () => {
    const pids = serverProcesses(data);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 10_000, interval: 10 });
    // Its number may not be free yet, which the next one would take for a running server.
    await rm(join(data, 'postmaster.pid'), { force: true });
  };
  whenFinished(stop);
  await startNow();
  const port = Number(all.port);
  const sql: PostgresServer['sql'] = async (
    statements,
    { database = 'postgres', user: role = 'postgres' } = {},
  ) => {
    const args = ['-X', '-q', '-At', '-h', directory, '-p', String(port), '-U', role, '-d', database];
    const child = execFile(join(programs, 'psql'), args, { env: { PGCLIENTENCODING: 'UTF8' } });
    let output = '';
    child.stdout?.on('data', (text: string) => {
      output += text;
    });
    child.stdin?.end(statements);
    await new Promise((resolve) => child.on('close', resolve));
    return output;
  };
  return {
    socketDirectory: directory,
    logDirectory: all.log_directory,
    port,
    stop,
    kill,
    start,
    sql,
    async createStoreDatabase(name) {
      const hasRole = await sql(`select 1 from pg_roles where rolname = '${STORE_ROLE}'`);
      for (const statement of documentedDatabase(name, { withRole: hasRole === '' })) await sql(statement);
    },
  };
}

/** The postmaster and its children, first it: it starts no others then. */
function serverProcesses(data: string): number[] {
  const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
  return [postmaster, ...children.split(' ').filter(Boolean).map(Number)];
}

/** False for a killed process that its parent has not waited for yet. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function findPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  const found = versions
    .map((version) => join(root, version, 'bin'))
    .find((path) => existsSync(join(path, 'initdb')));
  try {
    unprivilegedUser();
    return found;
  } catch {
    return undefined;
  }
}

/** PostgreSQL refuses to run as root. */
function unprivilegedUser(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { stdio: 'pipe' }).toString());
  return { uid: id('-u'), gid: id('-g') };
}
