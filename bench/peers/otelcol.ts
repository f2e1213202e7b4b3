import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningProcess } from '../../testkit/running-process.ts';
import type { Contender, Course } from '../contender.ts';
import { untilListening } from '../until-listening.ts';
import { type PeerBinary, preparePeer, startPeer } from './peer-binary.ts';

const OTELCOL: PeerBinary = {
  name: 'OpenTelemetry Collector',
  variable: 'BENCH_OTELCOL',
  versionArguments: ['--version'],
};

/**
 * The OpenTelemetry Collector (the `contrib` distribution): `filelog` to `file` over OTLP with gRPC. Its output
 * is JSON, so the records are counted, not compared. Without a persistent queue it acknowledges from memory.
 */
export function otelcol(): Contender {
  return {
    name: 'OpenTelemetry Collector, OTLP',
    key: 'otelcol',
    keepsOrder: false,
    recordMark: '"body":{"stringValue"',
    prepare: () => preparePeer(OTELCOL),
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
  const path = join(course.directory, `${half}.yaml`);
  await writeFile(path, configuration);
  return startPeer(OTELCOL, half, ['--config', path]);
}

const QUIET = 'telemetry: { logs: { level: error }, metrics: { level: none } }';

function senderConfiguration(course: Course): string {
  return `
receivers:
  filelog:
    include: ['${course.logDirectory}/*.log']
    start_at: beginning
    poll_interval: 100ms
    include_file_name: false
    max_log_size: 1MiB
exporters:
  otlp:
    endpoint: 127.0.0.1:${course.connectPort}
    tls: { insecure: true }
    compression: none
    sending_queue: { enabled: true, block_on_overflow: true, batch: { flush_timeout: 100ms, min_size: 8192 } }
    retry_on_failure: { enabled: true, max_elapsed_time: 0 }
service:
  ${QUIET}
  pipelines:
    logs: { receivers: [filelog], exporters: [otlp] }
`;
}

function receiverConfiguration(course: Course): string {
  return `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: '127.0.0.1:${course.receiverPort}', max_recv_msg_size_mib: 64 }
exporters:
  file: { path: '${course.outputPath}', flush_interval: 100ms }
service:
  ${QUIET}
  pipelines:
    logs: { receivers: [otlp], exporters: [file] }
`;
}
