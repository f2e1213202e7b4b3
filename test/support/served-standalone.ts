import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../../testkit/free-ports.ts';
import { untilReady } from '../../testkit/product.ts';
import type { RunningProcess } from '../../testkit/running-process.ts';
import { testProduct } from './processes.ts';

export interface ServeRecordText {
  readonly i: string;
  readonly p: string;
  readonly t?: string;
  readonly url?: string;
  readonly name?: string;
}

/** Submits a list to the serve database in this directory. */
export async function submitServes(directory: string, serves: readonly ServeRecordText[]): Promise<void> {
  await writeFile(join(directory, 'draft'), JSON.stringify({ serves }));
  await rename(join(directory, 'draft'), join(directory, 'serves.new'));
}

export interface ServedStandalone {
  readonly standalone: RunningProcess;
  readonly aggregatorState: string;
  /** The value of a metric of the collector, summed over its labels. */
  metric(name: string): Promise<number>;
}

/** The built product as one process, with its serve database and its state in this directory; ready. */
export async function startServedStandalone(
  directory: string,
  env: Readonly<Record<string, string>>,
): Promise<ServedStandalone> {
  const [aggregatorHttp, collectorHttp] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`) as [
    string,
    string,
  ];
  const aggregatorState = join(directory, 'aggregator');
  const standalone = testProduct({
    subcommand: 'standalone',
    env: {
      SERVE_DB_DIR: directory,
      COLLECTOR_STATE_DIRECTORY: join(directory, 'collector'),
      AGGREGATOR_STATE_DIRECTORY: aggregatorState,
      COLLECTOR_HTTP_ADDRESS: collectorHttp,
      AGGREGATOR_HTTP_ADDRESS: aggregatorHttp,
      ...env,
    },
  });
  await untilReady(standalone, collectorHttp);
  return { standalone, aggregatorState, metric: (name) => readMetric(collectorHttp, name) };
}

/** 0 when there is no such metric. */
export async function readMetric(httpAddress: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${httpAddress}/metrics`)).text();
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(' '))));
  return values.reduce((sum, value) => sum + value, 0);
}
