import { lookup } from 'node:dns/promises';
import { stat } from 'node:fs/promises';
import type { Clock } from '../../runtime/clock.ts';
import type { ConnectionFailure, ConnectionTrial } from '../../runtime/connection-trial.ts';
import { failureOf } from '../../transport/transport-failure.ts';
import { transportTo } from '../../transport/transport-to.ts';
import { tryStream, withRemedy } from '../../transport/try-transport.ts';
import type { GelfConfiguration } from './configuration.ts';
import { tlsOptions } from './open-outlet.ts';

/** Connects without a message. A receiver of datagrams does not answer: only its name or its socket is looked up. */
export async function tryConnection(
  configuration: GelfConfiguration,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConnectionTrial> {
  const { address, timeout } = configuration;
  let target = `GELF ${address.kind}`;
  try {
    const tls = address.kind === 'tls' ? await tlsOptions(configuration) : undefined;
    const to = transportTo(address, { clock, tls, timeoutMs: timeout });
    target = `GELF ${to.transport.address}`;
    const failure = to.kind === 'stream' ? await tryStream(to.transport, signal) : await tryReceiver(address);
    if (to.kind === 'packets') to.transport.close();
    return failure === undefined ? { target } : { target, failure };
  } catch (error) {
    return { target, failure: withRemedy(failureOf(error)) };
  }
}

async function tryReceiver(address: GelfConfiguration['address']): Promise<ConnectionFailure | undefined> {
  if (!('path' in address)) {
    await lookup(address.host);
    return undefined;
  }
  if ((await stat(address.path)).isSocket()) return undefined;
  return { reason: 'it is not a socket', remedy: 'Correct the path' };
}
