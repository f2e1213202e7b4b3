import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { parseAggregatorConfig } from '../../src/aggregator/config.ts';
import { type Aggregator, createAggregator } from '../../src/aggregator/pipeline.ts';
import { parseCollectorConfig } from '../../src/collector/config.ts';
import { type Collector, createCollector } from '../../src/collector/pipeline.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { freePorts } from '../../testkit/free-ports.ts';
import { type CapturedLog, capturedLogger } from './captured-logger.ts';

export interface InProcessPair {
  readonly directory: string;
  readonly outputPath: string;
  readonly aggregatorState: string;
  readonly collectorState: string;
  readonly aggregatorHttp: string;
  readonly collectorHttp: string;
  readonly aggregatorLog: CapturedLog[];
  readonly collectorLog: CapturedLog[];
  /** For a collector that a command runs. */
  readonly collectorEnvironment: Readonly<Record<string, string>>;
  createAggregator(environment?: Record<string, string>): Promise<Aggregator>;
  createCollector(environment?: Record<string, string>): Promise<Collector>;
}

/** Both halves as the command line makes them, in this process. Starts nothing. */
export async function inProcessPair(directory: string): Promise<InProcessPair> {
  const [grpc, aggregatorPort, collectorPort] = (await freePorts(3)) as [number, number, number];
  const aggregatorHttp = `127.0.0.1:${aggregatorPort}`;
  const collectorHttp = `127.0.0.1:${collectorPort}`;
  const outputPath = join(directory, 'output.log');
  const aggregatorState = join(directory, 'aggregator');
  const collectorState = join(directory, 'collector');
  const aggregatorLog = capturedLogger();
  const collectorLog = capturedLogger();
  const collectorEnvironment = {
    COLLECTOR_AGGREGATOR_ADDRESS: `127.0.0.1:${grpc}`,
    COLLECTOR_STATE_DIRECTORY: collectorState,
    COLLECTOR_HTTP_ADDRESS: collectorHttp,
  };
  const dependencies = () => ({ metrics: new Registry(), clock: systemClock, version: '0.0.0' });
  return {
    directory,
    outputPath,
    aggregatorState,
    collectorState,
    aggregatorHttp,
    collectorHttp,
    aggregatorLog: aggregatorLog.lines,
    collectorLog: collectorLog.lines,
    collectorEnvironment,
    createAggregator: async (environment = {}) => {
      const { config } = parseAggregatorConfig({
        AGGREGATOR_LISTEN_ADDRESS: `127.0.0.1:${grpc}`,
        AGGREGATOR_HTTP_ADDRESS: aggregatorHttp,
        AGGREGATOR_STATE_DIRECTORY: aggregatorState,
        AGGREGATOR_MINIMUM_PUBLISH_FREQUENCY: '20ms',
        AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: outputPath }),
        ...environment,
      });
      const stdout = new PassThrough().resume();
      const aggregator = await createAggregator(config, {
        ...dependencies(),
        logger: aggregatorLog.logger,
        stdout,
      });
      onTestFinished(() => aggregator.stop(AbortSignal.timeout(2_000)));
      return aggregator;
    },
    createCollector: async (environment = {}) => {
      const { config } = parseCollectorConfig({
        COLLECTOR_TAIL: join(directory, '*.log.in'),
        ...collectorEnvironment,
        ...environment,
      });
      const collector = await createCollector(config, { ...dependencies(), logger: collectorLog.logger });
      onTestFinished(() => collector.stop(AbortSignal.timeout(2_000)));
      return collector;
    },
  };
}
