import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { appendFile, chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** Where the newest installed PostgreSQL keeps its programs; undefined: none is installed, or nobody may run it. */
export const POSTGRES_PROGRAMS = findPrograms();

export interface PostgresServer {
  /** Where it writes `pg.csv`, `pg.json` and `pg.log`. */
  readonly logDirectory: string;
  /** Runs statements with psql, one session for each call; what fails in them fails nothing here. */
  sql(statements: string, options?: { readonly database?: string; readonly user?: string }): Promise<string>;
  /** Stops it: all of its log is written then. */
  stop(): Promise<void>;
}

/** A server of its own in a temporary directory, reachable by a Unix socket alone; gone when the test has finished. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  if (POSTGRES_PROGRAMS === undefined) throw new Error('PostgreSQL is not installed');
  const user = unprivilegedUser();
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-postgres-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
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
  onTestFinished(stop);
  await program('pg_ctl', ['-D', data, '-w', '-s', '-l', join(directory, 'start.log'), 'start']);
  return {
    logDirectory: all.log_directory,
    stop,
    async sql(statements, { database = 'postgres', user: role = 'postgres' } = {}) {
      const args = ['-X', '-q', '-At', '-h', directory, '-U', role, '-d', database];
      const child = execFile(join(programs, 'psql'), args, { env: { PGCLIENTENCODING: 'UTF8' } });
      let output = '';
      child.stdout?.on('data', (text: string) => {
        output += text;
      });
      child.stdin?.end(statements);
      await new Promise((resolve) => child.on('close', resolve));
      return output;
    },
  };
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
