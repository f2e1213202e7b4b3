import type { AggregatorConfig } from '../../aggregator/config.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { tryDirectory } from './try-directory.ts';

/** Maximum time to wait for a destination. */
const WITHIN_MS = 20_000;

/** Tries everything that an aggregator writes or connects to. */
export async function tryOutputs({
  emitters,
  stateDirectory,
}: AggregatorConfig): Promise<readonly ConnectionTrial[]> {
  const context = { stateDirectory, clock: systemClock, signal: AbortSignal.timeout(WITHIN_MS) };
  const trials = await Promise.all(
    emitters.map(async ({ type, name, configuration }) => {
      const found = (await type.tryConnections?.(configuration, { name, ...context })) ?? [];
      return found.map((trial) => ({ ...trial, target: `${trial.target} (emitter ${name})` }));
    }),
  );
  return [await tryDirectory('the state directory', stateDirectory, { isCreated: true }), ...trials.flat()];
}
