import type { Clock } from '../../runtime/clock.ts';
import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import type { ClickHouseConfiguration } from './configuration.ts';
import { Connection } from './connection.ts';
import { describeFailure, isDatabaseMissing, remedyFor } from './describe-failure.ts';

const TIMEOUT_MS = 10_000;

/** Logs in and runs a query in the database, if that exists. Creates nothing. */
export async function tryConnection(
  configuration: ClickHouseConfiguration,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConnectionTrial> {
  const target = `ClickHouse at ${configuration.url.join(', ')} as ${configuration.user}`;
  try {
    const connection = await Connection.open(configuration, { clock });
    try {
      await connection.query('select 1', { settings: {}, timeoutMs: TIMEOUT_MS, signal });
    } finally {
      await connection.close();
    }
    return { target };
  } catch (error) {
    if (isDatabaseMissing(error)) return { target };
    return { target, failure: { reason: describeFailure(error), remedy: remedyFor(error) } };
  }
}
