import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunningProcess } from '../../testkit/running-process.ts';
import type { Contender, Course } from '../contender.ts';
import { untilListening } from '../until-listening.ts';
import { type UnpackedPackages, unpackDebianPackages } from './debian-packages.ts';

export const SYSLOG_NG_PACKAGES = ['syslog-ng-core'] as const;

/**
 * Debian's syslog-ng, tuned as its administration guide advises: large fetches and windows, no parsing, flow
 * control.
 */
export function syslogNg(): Contender {
  let packages: UnpackedPackages | undefined;
  return {
    name: 'syslog-ng, TCP',
    key: 'syslog-ng',
    async prepare() {
      packages = await unpackDebianPackages(SYSLOG_NG_PACKAGES);
      return packages.version;
    },
    async start(course) {
      if (packages === undefined) throw new Error('prepare() comes first');
      const receiver = await startDaemon('receiver', receiverConfiguration(course), course, packages);
      await untilListening(course.receiverPort, receiver);
      const sender = await startDaemon('sender', senderConfiguration(course), course, packages);
      return { sender, receiver };
    },
  };
}

async function startDaemon(
  half: string,
  configuration: string,
  course: Course,
  packages: UnpackedPackages,
): Promise<RunningProcess> {
  const work = join(course.directory, half);
  await mkdir(work, { recursive: true });
  const path = join(course.directory, `${half}.conf`);
  await writeFile(path, configuration);
  const own = join(packages.root, 'usr/lib/syslog-ng');
  return RunningProcess.start({
    name: `syslog-ng ${half}`,
    command: join(packages.root, 'usr/sbin/syslog-ng'),
    args: [
      '--foreground',
      '--no-caps',
      `--cfgfile=${path}`,
      `--module-path=${own}/3.38`,
      `--persist-file=${join(work, 'persist')}`,
      `--pidfile=${join(work, 'pid')}`,
      `--control=${join(work, 'ctl')}`,
    ],
    env: { LD_LIBRARY_PATH: `${own}:${packages.libraryPath}` },
  });
}

const common = `@version: 3.38
options {
  threaded(yes);
  use-dns(no);                 # no look-up of the sender's name
  keep-hostname(yes);
  log-msg-size(1153434);       # a record may have 1 MiB, as ours
  log-fifo-size(400000);
  flush-lines(1000);           # messages sent or written together
  stats-freq(0);
  time-reopen(1);
};`;

function senderConfiguration({ logDirectory, connectPort }: Course): string {
  return `${common}
source tailed {
  wildcard-file(
    base-dir("${logDirectory}") filename-pattern("*.log") monitor-method(inotify)
    flags(no-parse)            # the message is the line
    log-fetch-limit(1000)      # lines read in one turn
    log-iw-size(100000)        # lines on the way, with flow control
    follow-freq(0.1)
  );
};
destination receiver {
  network("127.0.0.1" port(${connectPort}) transport("tcp") template("$MSG\\n") so-sndbuf(4194304));
};
log { source(tailed); destination(receiver); flags(flow-control); };
`;
}

function receiverConfiguration({ receiverPort, outputPath }: Course): string {
  return `${common}
source sender {
  network(
    ip("127.0.0.1") port(${receiverPort}) transport("tcp")
    flags(no-parse)
    log-fetch-limit(1000) log-iw-size(100000) max-connections(10) so-rcvbuf(4194304)
  );
};
destination output { file("${outputPath}" template("$MSG\\n")); };
log { source(sender); destination(output); flags(flow-control); };
`;
}
