import type { Clock } from '../../runtime/clock.ts';
import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { failureOf } from '../../transport/transport-failure.ts';
import { withRemedy } from '../../transport/try-transport.ts';
import type { RelpConfiguration } from './configuration.ts';
import { openClient } from './open-client.ts';

/** Opens a session and closes it without a message. */
export async function tryConnection(
  configuration: RelpConfiguration,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConnectionTrial> {
  const { host, port } = configuration.address;
  let target = `RELP ${host}:${port}`;
  try {
    const client = await openClient(configuration, clock);
    target = `RELP ${client.address}`;
    const failure = await client.connect(signal);
    await client.close(signal);
    return failure === undefined ? { target } : { target, failure: withRemedy(failure) };
  } catch (error) {
    return { target, failure: withRemedy(failureOf(error)) };
  }
}
