import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { RunningProcess } from '../../testkit/running-process.ts';
import type { Contender, Course } from '../contender.ts';
import { untilListening } from '../until-listening.ts';
import { type PeerBinary, preparePeer, startPeer } from './peer-binary.ts';

const FILEBEAT: PeerBinary = {
  name: 'Filebeat',
  variable: 'BENCH_FILEBEAT',
  versionArguments: ['version'],
};

/**
 * Two Filebeats: `filestream` to `file` over the Lumberjack protocol, which acknowledges after the output has
 * written. Its throughput preset is the one that its documentation advises. The `lumberjack` input is not in the
 * open-source distribution.
 */
export function filebeat(): Contender {
  return {
    name: 'Filebeat, Lumberjack',
    key: 'filebeat',
    keepsOrder: false,
    prepare: () => preparePeer(FILEBEAT),
    async start(course) {
      const receiver = await startHalf('receiver', receiverConfiguration(course), course);
      await untilListening(course.receiverPort, receiver);
      const sender = await startHalf('sender', senderConfiguration(course), course);
      return { sender, receiver };
    },
  };
}

async function startHalf(
  half: 'sender' | 'receiver',
  configuration: string,
  course: Course,
): Promise<RunningProcess> {
  const home = join(course.directory, half);
  await mkdir(home, { recursive: true });
  const path = join(home, 'filebeat.yml');
  await writeFile(path, configuration, { mode: 0o600 });
  return startPeer(FILEBEAT, half, ['-c', path, '--path.data', join(home, 'data'), '--path.logs', home]);
}

const COMMON = `
logging.level: error
queue.mem: { events: 32768, flush.min_events: 4096, flush.timeout: 100ms }
`;

function senderConfiguration(course: Course): string {
  return `${COMMON}
filebeat.inputs:
  - type: filestream
    id: log
    paths: ['${course.logDirectory}/*.log']
    prospector.scanner.check_interval: 100ms
    message_max_bytes: 1048576
output.logstash:
  hosts: ['127.0.0.1:${course.connectPort}']
  bulk_max_size: 4096
  pipelining: 4
  compression_level: 0
`;
}

function receiverConfiguration(course: Course): string {
  return `${COMMON}
filebeat.inputs:
  - type: lumberjack
    listen_address: '127.0.0.1:${course.receiverPort}'
    versions: [v2]
output.file:
  path: '${dirname(course.outputPath)}'
  filename: '${basename(course.outputPath)}'
  rotate_every_kb: 10485760
  codec.format.string: '%{[message]}'
`;
}
