import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { layOutPair } from '../../testkit/pair.ts';
import { untilReady } from '../../testkit/product.ts';
import { RunningProcess } from '../../testkit/running-process.ts';
import type { UnpackedPackages } from '../peers/debian-packages.ts';
import { untilListening } from '../until-listening.ts';
import type { LoadPlan } from './load-generator.ts';

/** It receives syslog at a port and writes each message as a line of a file. */
export interface SyslogReceiver {
  readonly name: string;
  start(course: SyslogCourse): Promise<StartedReceiver>;
}

export interface SyslogCourse {
  readonly transport: LoadPlan['transport'];
  readonly port: number;
  readonly directory: string;
}

export interface StartedReceiver {
  readonly outputPath: string;
  readonly processes: readonly RunningProcess[];
  /** Batches that were accepted from the collector; undefined: it has no batches. */
  batches?(): Promise<number>;
}

/** A collector, its journal, and an aggregator: everything is flushed to the disk before it is acknowledged. */
export const OUR_RECEIVER: SyslogReceiver = {
  name: 'mega-collector',
  async start({ transport, port, directory }) {
    const listener = {
      listen: `${transport}://127.0.0.1:${port}`,
      ...(transport !== 'udp' && { max_connections: 2000 }),
    };
    const pair = await layOutPair({
      directory,
      collectorEnv: { COLLECTOR_SYSLOG_CONFIGURATION: JSON.stringify([listener]) },
      aggregatorEnv: { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms' },
    });
    const aggregator = pair.startAggregator();
    await untilReady(aggregator, pair.aggregatorHttp);
    const collector = pair.startCollector();
    await untilReady(collector, pair.collectorHttp);
    return {
      outputPath: pair.outputPath,
      processes: [collector, aggregator],
      batches: () => metric(pair.collectorHttp, 'collector_publisher_accepted_batches_total'),
    };
  },
};

/** Debian's rsyslog, tuned as in `../peers/rsyslog.ts`. It flushes nothing to the disk. */
export function rsyslogReceiver(packages: UnpackedPackages): SyslogReceiver {
  return {
    name: 'rsyslog',
    async start({ transport, port, directory }) {
      const outputPath = join(directory, 'output.log');
      const input = INPUTS[transport](port);
      const daemon = await startRsyslog(packages, directory, `${COMMON}${input}${fileAction(outputPath)}`);
      if (transport !== 'udp') await untilListening(port, daemon);
      else await new Promise((resolve) => setTimeout(resolve, 1000));
      return { outputPath, processes: [daemon] };
    },
  };
}

/** rsyslog follows a file and sends its lines over RELP. */
export function startOmrelp(
  packages: UnpackedPackages,
  { directory, port, logPath, window }: OmrelpPlan,
): Promise<RunningProcess> {
  return startRsyslog(
    packages,
    join(directory, 'omrelp'),
    `${COMMON}
module(load="imfile" mode="inotify")
module(load="omrelp")
template(name="line" type="list") { property(name="msg") }
input(type="imfile" file="${logPath}" tag="log" addMetadata="off" readTimeout="0")
action(type="omrelp" target="127.0.0.1" port="${port}" template="line" windowSize="${window}"
  action.resumeRetryCount="-1" action.resumeInterval="1")
`,
  );
}

export interface OmrelpPlan {
  readonly directory: string;
  readonly port: number;
  readonly logPath: string;
  readonly window: number;
}

async function startRsyslog(
  packages: UnpackedPackages,
  directory: string,
  configuration: string,
): Promise<RunningProcess> {
  const work = join(directory, 'work');
  await mkdir(work, { recursive: true });
  const path = join(directory, 'rsyslog.conf');
  await writeFile(path, `global(workDirectory="${work}")\n${configuration}`);
  const modules = packages.libraryPath.split(':').map((each) => join(each, 'rsyslog'));
  return RunningProcess.start({
    name: 'rsyslog',
    command: join(packages.root, 'usr/sbin/rsyslogd'),
    args: ['-n', '-f', path, '-i', 'NONE', '-M', modules.join(':')],
    env: { LD_LIBRARY_PATH: packages.libraryPath },
  });
}

const COMMON = `
global(net.enableDNS="off" parser.escapeControlCharactersOnReceive="off" processInternalMessages="off")
main_queue(queue.type="FixedArray" queue.size="200000" queue.dequeueBatchSize="4096" queue.workerThreads="1"
  queue.timeoutEnqueue="600000")
`;

const INPUTS: Readonly<Record<LoadPlan['transport'], (port: number) => string>> = {
  tcp: (port) => `module(load="imptcp" threads="1")
# The default backlog is 5: connections of many senders would wait for seconds.
input(type="imptcp" address="127.0.0.1" port="${port}" socketBacklog="4096")
`,
  relp: (port) => `module(load="imrelp")
input(type="imrelp" address="127.0.0.1" port="${port}")
`,
  udp: (port) => `module(load="imudp" batchSize="128" timeRequery="8")
input(type="imudp" address="127.0.0.1" port="${port}" rcvbufSize="8m")
`,
};

const fileAction = (path: string) => `
template(name="raw" type="list") { property(name="rawmsg") constant(value="\\n") }
action(type="omfile" file="${path}" template="raw" ioBufferSize="1m" flushOnTXEnd="on" asyncWriting="off")
`;

async function metric(http: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${http}/metrics`)).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:{[^}]*})? (\\d+)`, 'gm'))].map(([, value]) =>
    Number(value),
  );
  return values.reduce((sum, value) => sum + value, 0);
}
