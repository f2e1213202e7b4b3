import type { CollectorConfig } from '../../collector/config.ts';
import { tryAggregator } from '../../collector/publisher/try-aggregator.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { tailInputs } from '../tail-inputs.ts';
import { tryDirectory } from './try-directory.ts';
import { tryFiles } from './try-files.ts';

export async function tryCollector(config: CollectorConfig): Promise<readonly ConnectionTrial[]> {
  const { tls } = config;
  const context = { tls, clock: systemClock, signal: AbortSignal.timeout(WITHIN_MS) };
  const aggregators = config.aggregatorAddresses.map((address) => tryAggregator(address, context));
  return [...(await tryInputs(config)), ...(await Promise.all(aggregators))];
}

/** Maximum time to wait for an aggregator. */
const WITHIN_MS = 20_000;

/** Tries everything that a collector reads or connects to, except the aggregators. */
export async function tryInputs(config: CollectorConfig): Promise<readonly ConnectionTrial[]> {
  const { sources, stateDirectory } = config;
  const directories = sources.flatMap(({ type, configuration }) => type.directories?.(configuration) ?? []);
  const trials = directories.map(({ what, path }) => tryDirectory(what, path));
  const state = await tryDirectory('the state directory', stateDirectory, { isCreated: true });
  return [...(await tryFiles(tailInputs(config).tail)), ...(await Promise.all(trials)), state];
}
