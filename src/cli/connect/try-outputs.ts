import type { AggregatorConfig } from '../../aggregator/config.ts';
import { intakeLogin } from '../../aggregator/intake/rabbitmq/intake-login.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { tryBrokers } from '../../transport/rabbitmq/try-brokers.ts';
import { tryDirectory } from './try-directory.ts';

/** Maximum time to wait for a destination. */
const WITHIN_MS = 20_000;

/** Tries everything that an aggregator writes, connects to or consumes. */
export async function tryOutputs({
  emitters,
  rabbitmqIntakes = [],
  stateDirectory,
}: AggregatorConfig): Promise<readonly ConnectionTrial[]> {
  const context = { stateDirectory, clock: systemClock, signal: AbortSignal.timeout(WITHIN_MS) };
  const trials = await Promise.all(
    emitters.map(async ({ type, name, configuration }) => {
      const found = (await type.tryConnections?.(configuration, { name, ...context })) ?? [];
      return found.map((trial) => ({ ...trial, target: `${trial.target} (emitter ${name})` }));
    }),
  );
  const intakes = await Promise.all(
    rabbitmqIntakes.map(async (intake) => {
      const found = await tryBrokers(intake.address, () => intakeLogin(intake), context.signal);
      return found.map((trial) => ({ ...trial, target: `${trial.target} (intake of ${intake.queue})` }));
    }),
  );
  return [
    await tryDirectory('the state directory', stateDirectory, { isCreated: true }),
    ...intakes.flat(),
    ...trials.flat(),
  ];
}
