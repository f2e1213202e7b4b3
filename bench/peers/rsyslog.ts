import { join } from 'node:path';
import type { Contender, Course, Halves } from '../contender.ts';
import { untilListening } from '../until-listening.ts';
import { type UnpackedPackages, unpackDebianPackages } from './debian-packages.ts';
import { startRsyslog } from './start-rsyslog.ts';

type Transport = 'tcp' | 'relp';

/** With the modules for RELP, TLS, Elasticsearch and PostgreSQL: the tests use these. */
export const RSYSLOG_PACKAGES = [
  'rsyslog',
  'rsyslog-relp',
  'rsyslog-gnutls',
  'rsyslog-openssl',
  'rsyslog-elasticsearch',
  'rsyslog-pgsql',
] as const;

/**
 * Debian's rsyslog, tuned for throughput as its documentation advises: inotify, large batches from a large
 * in-memory queue, one worker (two would change the order), no name look-ups, and templates with only the
 * message.
 */
export function rsyslog(transport: Transport): Contender {
  let packages: UnpackedPackages | undefined;
  return {
    name: transport === 'tcp' ? 'rsyslog, TCP' : 'rsyslog, RELP (window 10000)',
    key: `rsyslog-${transport}`,
    async prepare() {
      packages = await unpackDebianPackages(RSYSLOG_PACKAGES);
      return packages.version;
    },
    async start(course) {
      if (packages === undefined) throw new Error('prepare() comes first');
      return await startHalves(transport, course, packages);
    },
  };
}

async function startHalves(
  transport: Transport,
  course: Course,
  packages: UnpackedPackages,
): Promise<Halves> {
  const { directory } = course;
  const receiver = await startRsyslog(
    { name: 'receiver', directory, configuration: receiverConfiguration(transport, course) },
    packages,
  );
  await untilListening(course.receiverPort, receiver);
  const sender = await startRsyslog(
    { name: 'sender', directory, configuration: senderConfiguration(transport, course) },
    packages,
  );
  return { sender, receiver };
}

const common = (half: string, { directory }: Course) => `
global(
  workDirectory="${join(directory, half)}"
  maxMessageSize="1100k"                          # a record may have 1 MiB, as ours
  net.enableDNS="off"                             # no look-up of the sender's name
  parser.escapeControlCharactersOnReceive="off"   # the bytes as they are
  processInternalMessages="off"
)
# One queue and one worker: order is kept. Large batches: few lock operations a message.
main_queue(
  queue.type="FixedArray"
  queue.size="200000"
  queue.dequeueBatchSize="4096"
  queue.workerThreads="1"
  queue.timeoutEnqueue="600000"                   # wait for room rather than drop
)`;

function senderConfiguration(transport: Transport, course: Course): string {
  const target = `target="127.0.0.1" port="${course.connectPort}" template="line"`;
  const retry = 'action.resumeRetryCount="-1" action.resumeInterval="1"';
  return `${common('sender', course)}
module(load="imfile" mode="inotify")
# The message is the line, without its line ending.
template(name="line" type="list") { property(name="msg") }
input(
  type="imfile" file="${course.logDirectory}/*.log" tag="log"
  addMetadata="off"
  readTimeout="0"
  persistStateInterval="20000"                    # its default is never; this is one small write for 4 MB
)
${
  transport === 'tcp'
    ? `# Octet-counted: the framing that carries any byte and that the receiver reads fastest.
action(type="omfwd" ${target} protocol="tcp" TCP_Framing="octet-counted" ${retry})`
    : `module(load="omrelp")
action(type="omrelp" ${target} windowSize="10000" ${retry})`
}
`;
}

function receiverConfiguration(transport: Transport, course: Course): string {
  return `${common('receiver', course)}
# The message as it came in, no header was sent, and a line ending.
template(name="raw" type="list") { property(name="rawmsg") constant(value="\\n") }
${
  transport === 'tcp'
    ? `# imptcp is the fast one of the two TCP inputs (epoll, no TLS).
module(load="imptcp" threads="1")
input(type="imptcp" address="127.0.0.1" port="${course.receiverPort}" supportOctetCountedFraming="on")`
    : `module(load="imrelp")
input(type="imrelp" address="127.0.0.1" port="${course.receiverPort}" maxDataSize="1100k")`
}
# One write for a batch of the queue (flushOnTXEnd): nothing waits for a timer at the end of the log.
action(type="omfile" file="${course.outputPath}" template="raw" ioBufferSize="1m" flushOnTXEnd="on" asyncWriting="off")
`;
}
