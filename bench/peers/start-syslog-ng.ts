import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunningProcess } from '../../testkit/running-process.ts';
import type { UnpackedPackages } from './debian-packages.ts';

export interface SyslogNgPlan {
  /** Its name in messages, and that of its work directory. */
  readonly name: string;
  /** The directory of its configuration and of its work directory. */
  readonly directory: string;
  /** Sources, destinations and so on, without version and options. */
  readonly configuration: string;
}

const OPTIONS = `@version: 3.38
options {
  threaded(yes);
  use-dns(no);                 # no look-up of the sender's name
  keep-hostname(yes);
  log-msg-size(1153434);       # a record may have 1 MiB, as ours
  log-fifo-size(400000);
  flush-lines(1000);           # messages sent or written together
  stats-freq(0);
  time-reopen(1);
};
`;

/** Starts a syslog-ng of unpacked packages, with large fetches and windows. */
export async function startSyslogNg(
  { name, directory, configuration }: SyslogNgPlan,
  { root, libraryPath }: UnpackedPackages,
): Promise<RunningProcess> {
  const work = join(directory, name);
  await mkdir(work, { recursive: true });
  const path = join(directory, `${name}.conf`);
  await writeFile(path, OPTIONS + configuration);
  const own = join(root, 'usr/lib/syslog-ng');
  return RunningProcess.start({
    name: `syslog-ng ${name}`,
    command: join(root, 'usr/sbin/syslog-ng'),
    args: [
      '--foreground',
      '--no-caps',
      `--cfgfile=${path}`,
      `--module-path=${own}/3.38`,
      `--persist-file=${join(work, 'persist')}`,
      `--pidfile=${join(work, 'pid')}`,
      `--control=${join(work, 'ctl')}`,
    ],
    env: { LD_LIBRARY_PATH: `${own}:${libraryPath}` },
  });
}
