import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { RunningProcess } from '../../testkit/running-process.ts';
import { testProcess } from './processes.ts';

type DaemonName = 'rsyslog' | 'syslog-ng';

/** A daemon as Debian packages it: installed, or unpacked beside the system by `make bench`. */
export interface LogDaemon {
  readonly name: DaemonName;
  readonly command: string;
  /** Arguments for a program outside of its installation path. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const COMMANDS = { rsyslog: 'usr/sbin/rsyslogd', 'syslog-ng': 'usr/sbin/syslog-ng' } as const;
const UNPACKED = {
  rsyslog: resolve('.tmp/peers/rsyslog/root'),
  'syslog-ng': resolve('.tmp/peers/syslog-ng-core/root'),
} as const;
const TRIPLETS = ['x86_64-linux-gnu', 'aarch64-linux-gnu'];

/**
 * undefined, with a word on stderr, where it is not, or where it has not this module, such as `imrelp` of the
 * package rsyslog-relp.
 */
export function findLogDaemon(name: DaemonName, module?: string): LogDaemon | undefined {
  const daemon = findProgram(name);
  if (daemon === undefined || module === undefined || hasModule(module)) return daemon;
  process.stderr.write(`SKIPPED: tests with ${module} of rsyslog, which is not installed\n`);
  return undefined;
}

function hasModule(module: string): boolean {
  const roots = existsSync(join('/', COMMANDS.rsyslog)) ? ['/'] : [UNPACKED.rsyslog];
  return roots.some((root) =>
    TRIPLETS.some((triplet) => existsSync(join(root, 'usr/lib', triplet, 'rsyslog', `${module}.so`))),
  );
}

function findProgram(name: DaemonName): LogDaemon | undefined {
  const installed = join('/', COMMANDS[name]);
  if (existsSync(installed)) return { name, command: installed, args: [], env: {} };
  const root = UNPACKED[name];
  const command = join(root, COMMANDS[name]);
  if (existsSync(command)) return { name, command, ...unpackedSettings(name, root) };
  process.stderr.write(
    `SKIPPED: tests with a real ${name}, which is not installed (apt-get install ${name})\n`,
  );
  return undefined;
}

function unpackedSettings(name: DaemonName, root: string): Pick<LogDaemon, 'args' | 'env'> {
  const libraries = TRIPLETS.flatMap((triplet) => [
    join(root, 'usr/lib', triplet),
    join(root, 'lib', triplet),
  ]);
  if (name === 'rsyslog') {
    const modules = libraries.map((directory) => join(directory, 'rsyslog'));
    return { args: ['-M', modules.join(':')], env: { LD_LIBRARY_PATH: libraries.join(':') } };
  }
  const own = join(root, 'usr/lib/syslog-ng');
  const version = readdirSync(own).find((entry) => /^\d/.test(entry)) ?? '';
  return {
    args: [`--module-path=${join(own, version)}`],
    env: { LD_LIBRARY_PATH: [own, ...libraries].join(':') },
  };
}

/** Started on a configuration of its own in the foreground; killed when the test has finished. */
export async function startLogDaemon(
  daemon: LogDaemon,
  directory: string,
  configuration: string,
): Promise<RunningProcess> {
  const work = join(directory, daemon.name);
  await mkdir(work, { recursive: true });
  const path = join(work, 'configuration');
  await writeFile(path, configuration);
  const own =
    daemon.name === 'rsyslog'
      ? ['-n', '-f', path, '-i', join(work, 'pid')]
      : [
          '--foreground',
          '--no-caps',
          `--cfgfile=${path}`,
          `--persist-file=${join(work, 'persist')}`,
          `--pidfile=${join(work, 'pid')}`,
          `--control=${join(work, 'control')}`,
        ];
  return testProcess({
    name: daemon.name,
    command: daemon.command,
    args: [...own, ...daemon.args],
    env: daemon.env,
  });
}
