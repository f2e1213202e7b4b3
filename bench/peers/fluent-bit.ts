import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { RunningProcess } from '../../testkit/running-process.ts';
import type { Contender, Course } from '../contender.ts';
import { untilListening } from '../until-listening.ts';
import { type PeerBinary, preparePeer, startPeer } from './peer-binary.ts';

const FLUENT_BIT: PeerBinary = {
  name: 'Fluent Bit',
  variable: 'BENCH_FLUENT_BIT',
  versionArguments: ['--version'],
};

type Storage = 'memory' | 'filesystem';

/**
 * Fluent Bit, tuned as its documentation advises: reads of 1 MiB, the `forward` protocol with acknowledgements,
 * and an output without a conversion to JSON. With `memory`, it acknowledges from memory. With `filesystem`, its
 * chunks are in memory-mapped files, which it does not flush.
 */
export function fluentBit(storage: Storage): Contender {
  return {
    name: storage === 'memory' ? 'Fluent Bit, forward' : 'Fluent Bit, forward, filesystem',
    key: storage === 'memory' ? 'fluent-bit' : 'fluent-bit-filesystem',
    keepsOrder: false,
    prepare: () => preparePeer(FLUENT_BIT),
    async start(course) {
      const receiver = await startHalf('receiver', receiverConfiguration(course, storage), course);
      await untilListening(course.receiverPort, receiver);
      const sender = await startHalf('sender', senderConfiguration(course, storage), course);
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
  const path = join(course.directory, `${half}.conf`);
  await writeFile(path, configuration);
  return startPeer(FLUENT_BIT, half, ['--config', path, '--quiet']);
}

function service(half: string, { directory }: Course, storage: Storage): string {
  const filesystem = `
    storage.path              ${join(directory, half)}
    storage.sync              normal
    storage.checksum          off
    storage.max_chunks_up     1024`;
  return `
[SERVICE]
    flush                     0.2
    grace                     5
    log_level                 error${storage === 'filesystem' ? filesystem : ''}
`;
}

function senderConfiguration(course: Course, storage: Storage): string {
  return `${service('sender', course, storage)}
[INPUT]
    name                      tail
    path                      ${course.logDirectory}/*.log
    tag                       log
    read_from_head            on
    refresh_interval          1
    # Large reads, and lines of 1 MiB, as ours.
    buffer_chunk_size         1M
    buffer_max_size           2M
    static_batch_size         50M
    mem_buf_limit             200M
    storage.type              ${storage}
[OUTPUT]
    name                      forward
    match                     *
    host                      127.0.0.1
    port                      ${course.connectPort}
    require_ack_response      on
    retry_limit               no_limits
    workers                   1
`;
}

function receiverConfiguration(course: Course, storage: Storage): string {
  return `${service('receiver', course, storage)}
[INPUT]
    name                      forward
    listen                    127.0.0.1
    port                      ${course.receiverPort}
    buffer_chunk_size         1M
    buffer_max_size           64M
    storage.type              ${storage}
[OUTPUT]
    name                      file
    match                     *
    path                      ${dirname(course.outputPath)}
    file                      ${basename(course.outputPath)}
    # Only the line: no time, no JSON.
    format                    template
    template                  {log}
    workers                   1
`;
}
