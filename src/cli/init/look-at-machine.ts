import { findLogFiles } from './find-log-files.ts';
import { findPostgres } from './find-postgres.ts';
import type { Findings, FoundContainers, FoundJournal, LeftOut } from './findings.ts';
import { MachineFiles } from './machine-files.ts';

/** Looks at the logs below a root, with the rights of this user and within limits. Changes nothing. */
export async function lookAtMachine(root: string): Promise<Findings> {
  const files = new MachineFiles(root);
  const logs = await findLogFiles(files);
  const postgres = await findPostgres(files);
  const containers = await findContainers(files);
  const daemons = await findDaemons(files);
  const journal = await findJournal(files, daemons);
  return {
    files: [...logs.files, ...postgres.files],
    leftOut: [...logs.leftOut, ...postgres.leftOut, ...containers.leftOut, ...journal.leftOut],
    journal: journal.journal,
    containers: containers.found,
    notes: [...postgres.notes, ...daemons.map(daemonNote)],
    olderFiles: logs.olderFiles,
    endedEarly: files.endedEarly,
  };
}

const CONTAINERS = [
  {
    runtime: 'kubernetes',
    directory: '/var/log/containers',
    paths: '/var/log/containers/*.log',
    format: 'cri',
  },
  {
    runtime: 'docker',
    directory: '/var/lib/docker/containers',
    paths: '/var/lib/docker/containers/*/*-json.log',
    format: 'docker-json',
  },
] as const;
const PODS = '/var/log/pods';

async function findContainers(
  files: MachineFiles,
): Promise<{ found: FoundContainers[]; leftOut: LeftOut[] }> {
  const found: FoundContainers[] = [];
  const leftOut: LeftOut[] = [];
  for (const { directory, ...containers } of CONTAINERS) {
    if ((await files.stat(directory)) === undefined) continue;
    // The files of the first directory are links to those of pods.
    const needed = containers.runtime === 'kubernetes' ? [directory, PODS] : [directory];
    const closed = [];
    for (const each of needed) if (!(await files.isReadableDirectory(each))) closed.push(each);
    if (closed.length === 0) found.push(containers);
    else
      leftOut.push({
        path: closed.join(', '),
        reason: `permission denied: logs of ${containers.runtime}; only root can read them`,
      });
  }
  if (found.every(({ runtime }) => runtime !== 'kubernetes') && (await files.isReadableDirectory(PODS)))
    if ((await files.stat('/var/log/containers')) === undefined)
      found.push({ runtime: 'kubernetes', paths: '/var/log/pods/*/*/*.log', format: 'cri' });
  return { found, leftOut };
}

interface Daemon {
  readonly name: string;
  readonly configuration: string;
}

const DAEMONS: readonly Daemon[] = [
  { name: 'rsyslog', configuration: '/etc/rsyslog.conf' },
  { name: 'syslog-ng', configuration: '/etc/syslog-ng/syslog-ng.conf' },
];

async function findDaemons(files: MachineFiles): Promise<readonly Daemon[]> {
  const found: Daemon[] = [];
  for (const daemon of DAEMONS)
    if ((await files.stat(daemon.configuration)) !== undefined) found.push(daemon);
  return found;
}

function daemonNote({ name, configuration }: Daemon): string {
  return `${name} is installed (${configuration}): its files are read as files. To receive from it instead, set COLLECTOR_SYSLOG; see docs/syslog.md`;
}

const JOURNALS = ['/var/log/journal', '/run/log/journal'];
const JOURNALCTL = ['/usr/bin/journalctl', '/bin/journalctl'];
const SYSLOG_FILES = ['/var/log/syslog', '/var/log/messages'];

async function findJournal(
  files: MachineFiles,
  daemons: readonly Daemon[],
): Promise<{ journal: FoundJournal | undefined; leftOut: LeftOut[] }> {
  const directory = await firstOf(files, JOURNALS);
  if (directory === undefined) return { journal: undefined, leftOut: [] };
  const leave = (reason: string) => ({ journal: undefined, leftOut: [{ path: directory, reason }] });
  if ((await firstOf(files, JOURNALCTL)) === undefined)
    return leave('the journal of systemd needs journalctl, which is not installed');
  const [daemon] = daemons;
  const copy = daemon === undefined ? undefined : await firstOf(files, SYSLOG_FILES);
  if (daemon !== undefined && copy !== undefined)
    return leave(`${daemon.name} writes the entries of the journal to ${copy}: each would be read twice`);
  if (await hasReadableJournal(files, directory)) return { journal: { directory }, leftOut: [] };
  return leave(
    'permission denied: members of the group systemd-journal can read the journal (sudo usermod -aG systemd-journal USER)',
  );
}

/** The directory is often open to all users, and its files are not. */
async function hasReadableJournal(files: MachineFiles, directory: string): Promise<boolean> {
  for (const machine of await files.list(directory).catch(() => [])) {
    if (machine.kind !== 'directory') continue;
    for (const { path, name } of await files.list(machine.path).catch(() => []))
      if (name === 'system.journal')
        return await files.beginning(path, 8).then(
          () => true,
          () => false,
        );
  }
  return await files.isReadableDirectory(directory);
}

async function firstOf(files: MachineFiles, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if ((await files.stat(path)) !== undefined) return path;
  return undefined;
}
