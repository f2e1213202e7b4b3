import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { type ProductPlan, startProduct } from './product.ts';
import type { RunningProcess } from './running-process.ts';

export interface PairPlan {
  /** Holds `logs/`, `output/`, `aggregator/` and `collector/` (the states), all made here. */
  readonly directory: string;
  /** Default: a directory of its own in `directory`. */
  readonly stateParent?: string;
  readonly outputDirectory?: string;
  /** Globs; default all `.log` files of `logs/`. */
  readonly tail?: string;
  /** Of the tailed files. Default: plain. */
  readonly format?: string;
  /** Where the collector connects, when something lies between. */
  readonly connectAddress?: string;
  /** Variables of emitters, instead of the one that writes to `output/`. */
  readonly emitters?: Readonly<Record<string, string>>;
  readonly aggregatorEnv?: Readonly<Record<string, string>>;
  readonly collectorEnv?: Readonly<Record<string, string>>;
}

/** Where everything of one collector and one aggregator is, and how to start each. */
export interface Pair {
  readonly logDirectory: string;
  readonly outputPath: string;
  readonly aggregatorState: string;
  readonly collectorState: string;
  readonly aggregatorAddress: string;
  readonly aggregatorHttp: string;
  readonly collectorHttp: string;
  startAggregator(overrides?: Partial<ProductPlan>): RunningProcess;
  startCollector(overrides?: Partial<ProductPlan>): RunningProcess;
}

/** Lays out a collector and an aggregator that writes to a file. Starts nothing. */
export async function layOutPair(plan: PairPlan): Promise<Pair> {
  const { directory, stateParent = directory } = plan;
  const logDirectory = join(directory, 'logs');
  const outputDirectory = plan.outputDirectory ?? join(directory, 'output');
  const aggregatorState = join(stateParent, 'aggregator');
  const collectorState = join(stateParent, 'collector');
  for (const path of [logDirectory, outputDirectory, aggregatorState, collectorState]) {
    await mkdir(path, { recursive: true });
  }
  const outputPath = join(outputDirectory, 'output.log');
  const [aggregatorAddress, aggregatorHttp, collectorHttp] = (await freePorts(3)).map(
    (port) => `127.0.0.1:${port}`,
  ) as [string, string, string];
  const aggregatorEnv = {
    AGGREGATOR_LISTEN_ADDRESS: aggregatorAddress,
    AGGREGATOR_HTTP_ADDRESS: aggregatorHttp,
    AGGREGATOR_STATE_DIRECTORY: aggregatorState,
    ...(plan.emitters ?? { AGGREGATOR_FILE_CONFIGURATION: JSON.stringify({ path: outputPath }) }),
    ...plan.aggregatorEnv,
  };
  const collectorEnv = {
    ...tailVariables(plan.tail ?? join(logDirectory, '*.log'), plan.format),
    COLLECTOR_AGGREGATOR_ADDRESS: plan.connectAddress ?? aggregatorAddress,
    COLLECTOR_STATE_DIRECTORY: collectorState,
    COLLECTOR_HTTP_ADDRESS: collectorHttp,
    ...plan.collectorEnv,
  };
  return {
    logDirectory,
    outputPath,
    aggregatorState,
    collectorState,
    aggregatorAddress,
    aggregatorHttp,
    collectorHttp,
    startAggregator: (overrides) =>
      startProduct({ subcommand: 'aggregator', ...overrides, env: { ...aggregatorEnv, ...overrides?.env } }),
    startCollector: (overrides) =>
      startProduct({ subcommand: 'collector', ...overrides, env: { ...collectorEnv, ...overrides?.env } }),
  };
}

function tailVariables(tail: string, format: string | undefined): Record<string, string> {
  if (format === undefined) return { COLLECTOR_TAIL: tail };
  return { COLLECTOR_TAIL_CONFIGURATION: JSON.stringify([{ paths: tail.split(','), format }]) };
}
