import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../../testkit/free-ports.ts';
import { OwnRabbitmq } from '../../testkit/own-rabbitmq.ts';
import { cpuSeconds } from '../../testkit/process-usage.ts';
import { productIsBuilt, startProduct, untilReady } from '../../testkit/product.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';
import type { Contender, Course } from '../contender.ts';

export const THROUGH_RABBITMQ = 'ours-rabbitmq';
/** The parts between the collector and the last aggregator. */
export const EDGE = 'edge aggregator';
export const BROKER = 'broker';

const QUEUE = 'records';
const SOON = { AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '10ms' };

/** mega-collector with a broker: collector, aggregator, a quorum queue of one node with confirms, aggregator, file. */
export function rabbitmqBetween(): Contender {
  return {
    name: 'mega-collector, through RabbitMQ',
    key: THROUGH_RABBITMQ,
    async prepare() {
      if (!productIsBuilt()) throw new Error('dist/ is not built');
      if (!OwnRabbitmq.isInstalled())
        throw new Error('RabbitMQ is not installed (apt-get install rabbitmq-server)');
      return '';
    },
    async start(course) {
      const { broker, end } = await startBroker();
      const [edgeHttp = '', coreHttp = '', collectorHttp = '', corePort = ''] = (await freePorts(4)).map(
        (port) => `127.0.0.1:${port}`,
      );
      const receiver = startCore(course, { broker, http: coreHttp, listen: corePort });
      await untilReady(receiver, coreHttp);
      const edge = startEdge(course, { broker, http: edgeHttp });
      await untilReady(edge, edgeHttp);
      const sender = startProduct({
        subcommand: 'collector',
        env: {
          COLLECTOR_TAIL: join(course.logDirectory, '*.log'),
          COLLECTOR_AGGREGATOR_ADDRESS: `127.0.0.1:${course.connectPort}`,
          COLLECTOR_STATE_DIRECTORY: join(course.directory, 'collector'),
          COLLECTOR_HTTP_ADDRESS: collectorHttp,
        },
      });
      await untilReady(sender, collectorHttp);
      return {
        ...{ sender, receiver },
        between: [
          { name: EDGE, cpuSeconds: () => cpuSeconds(edge.pid) },
          { name: BROKER, cpuSeconds: () => broker.cpuSeconds() },
        ],
        end: async () => {
          await edge.kill();
          await end();
        },
      };
    },
  };
}

/** In a directory that the user of the broker can reach. */
async function startBroker(): Promise<{ readonly broker: OwnRabbitmq; readonly end: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'mega-collector-bench-rabbitmq-'));
  await chmod(directory, 0o755);
  const broker = await OwnRabbitmq.create({ directory: join(directory, 'broker'), schedulers: 2 });
  const end = async () => {
    await broker.end();
    await rm(directory, { recursive: true, force: true });
  };
  await broker.start().catch(async (error: unknown) => {
    await end();
    throw error;
  });
  return { broker, end };
}

interface Place {
  readonly broker: OwnRabbitmq;
  readonly http: string;
}

function startEdge({ directory, receiverPort }: Course, { broker, http }: Place): RunningProcess {
  return startProduct({
    subcommand: 'aggregator',
    env: {
      AGGREGATOR_LISTEN_ADDRESS: `127.0.0.1:${receiverPort}`,
      AGGREGATOR_HTTP_ADDRESS: http,
      AGGREGATOR_STATE_DIRECTORY: join(directory, 'edge'),
      AGGREGATOR_RABBITMQ_CONFIGURATION: JSON.stringify({ address: broker.url(), queue: QUEUE }),
      ...SOON,
    },
  });
}

function startCore(
  { directory, outputPath }: Course,
  { broker, http, listen }: Place & { readonly listen: string },
): RunningProcess {
  return startProduct({
    subcommand: 'aggregator',
    env: {
      AGGREGATOR_LISTEN_ADDRESS: listen,
      AGGREGATOR_HTTP_ADDRESS: http,
      AGGREGATOR_STATE_DIRECTORY: join(directory, 'core'),
      AGGREGATOR_RABBITMQ_INTAKE_CONFIGURATION: JSON.stringify({ address: broker.url(), queue: QUEUE }),
      AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: outputPath }),
      ...SOON,
    },
  });
}
