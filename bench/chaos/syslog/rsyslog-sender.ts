import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProcess } from '../../../testkit/running-process.ts';
import type { UnpackedPackages } from '../../peers/debian-packages.ts';

/** The window of librelp. */
export const WINDOW = 128;

export interface RsyslogSenderPlan {
  readonly packages: UnpackedPackages;
  readonly directory: string;
  /** Where rsyslog receives the messages, over TCP. */
  readonly inputPort: number;
  readonly port: number;
  readonly onStderr: (chunk: Buffer) => void;
}

/**
 * rsyslog receives lines over TCP and sends them over RELP. Its queue is on disk and is written after each message,
 * so that a kill loses as few messages as rsyslog can: those in the memory of librelp, which were sent and not
 * answered. The input is no file: a kill can damage the state file of imfile, and the file is then read again
 * from its beginning.
 */
export function startRsyslogSender(plan: RsyslogSenderPlan): RunningProcess {
  const { packages, directory, onStderr } = plan;
  const work = join(directory, 'rsyslog');
  mkdirSync(work, { recursive: true });
  const path = join(directory, 'rsyslog.conf');
  writeFileSync(path, configuration(plan, work));
  const modules = packages.libraryPath.split(':').map((each) => join(each, 'rsyslog'));
  return RunningProcess.start({
    name: 'rsyslog',
    command: join(packages.root, 'usr/sbin/rsyslogd'),
    // Killed processes leave their pid files.
    args: ['-n', '-f', path, '-i', 'NONE', '-M', modules.join(':')],
    env: { LD_LIBRARY_PATH: packages.libraryPath },
    onStderr,
  });
}

/** The template has no time of rsyslog: a message that leaves the queue again after a kill has the same bytes. */
const configuration = ({ inputPort, port }: RsyslogSenderPlan, work: string) => `
global(workDirectory="${work}" maxMessageSize="64k" net.enableDNS="off" processInternalMessages="off"
  parser.escapeControlCharactersOnReceive="off")
module(load="imptcp" threads="1")
module(load="omrelp")
template(name="numbered" type="string"
  string="<13>1 2026-11-28T10:00:00Z client chaos - - [chaos@32473 id=\\"%msg:F,32:2%\\"] %msg%\\n")
input(type="imptcp" address="127.0.0.1" port="${inputPort}" ruleset="out")
ruleset(name="out" queue.type="Disk" queue.fileName="out" queue.checkpointInterval="1" queue.syncQueueFiles="on"
  queue.dequeueBatchSize="16" queue.saveOnShutdown="on" queue.maxDiskSpace="1g" queue.timeoutEnqueue="600000") {
  action(type="omrelp" target="127.0.0.1" port="${port}" windowSize="${WINDOW}" template="numbered"
    action.resumeRetryCount="-1" action.resumeInterval="1")
}
`;
