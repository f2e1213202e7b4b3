import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunningProcess } from '../../testkit/running-process.ts';
import type { UnpackedPackages } from './debian-packages.ts';

export interface RsyslogPlan {
  /** Its name in messages, and that of its work directory. */
  readonly name: string;
  /** The directory of its configuration and of its work directory. */
  readonly directory: string;
  readonly configuration: string;
}

/** Starts an rsyslog of unpacked packages. Its work directory, `directory`/`name`, exists. */
export async function startRsyslog(
  { name, directory, configuration }: RsyslogPlan,
  { root, libraryPath }: UnpackedPackages,
): Promise<RunningProcess> {
  const work = join(directory, name);
  const path = join(directory, `${name}.conf`);
  await mkdir(work, { recursive: true });
  await writeFile(path, configuration);
  const modules = libraryPath.split(':').map((each) => join(each, 'rsyslog'));
  return RunningProcess.start({
    name: `rsyslog ${name}`,
    command: join(root, 'usr/sbin/rsyslogd'),
    args: ['-n', '-f', path, '-i', join(work, 'pid'), '-M', modules.join(':')],
    env: { LD_LIBRARY_PATH: libraryPath },
  });
}
