import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningProcess } from '../../testkit/running-process.ts';
import type { Contender, Course } from '../contender.ts';
import { untilListening } from '../until-listening.ts';
import { type PeerBinary, preparePeer, startPeer } from './peer-binary.ts';

const VECTOR: PeerBinary = {
  name: 'Vector',
  variable: 'BENCH_VECTOR',
  versionArguments: ['--version'],
};

/**
 * Vector with its own protocol between the halves and end-to-end acknowledgements, as its documentation advises
 * for delivery at least once: the file source moves its checkpoint after the file sink has written.
 */
export function vector(): Contender {
  return {
    name: 'Vector, acknowledgements',
    key: 'vector',
    keepsOrder: false,
    prepare: () => preparePeer(VECTOR),
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
  await mkdir(join(course.directory, half), { recursive: true });
  const path = join(course.directory, `${half}.yaml`);
  await writeFile(path, configuration);
  return startPeer(VECTOR, half, ['--quiet', '--config', path]);
}

function senderConfiguration(course: Course): string {
  return `
data_dir: ${join(course.directory, 'sender')}
acknowledgements: { enabled: true }
sources:
  log:
    type: file
    include: ['${course.logDirectory}/*.log']
    read_from: beginning
    glob_minimum_cooldown_ms: 100
    # Lines of 1 MiB, as ours; large reads in one turn.
    max_line_bytes: 1048576
    max_read_bytes: 1048576
sinks:
  aggregator:
    type: vector
    inputs: [log]
    address: 127.0.0.1:${course.connectPort}
    compression: false
    batch: { max_bytes: 4000000, timeout_secs: 0.1 }
`;
}

function receiverConfiguration(course: Course): string {
  return `
data_dir: ${join(course.directory, 'receiver')}
acknowledgements: { enabled: true }
sources:
  collectors:
    type: vector
    address: 127.0.0.1:${course.receiverPort}
sinks:
  output:
    type: file
    inputs: [collectors]
    path: ${course.outputPath}
    encoding: { codec: text }
`;
}
