import { lookup } from 'node:dns/promises';
import { stat } from 'node:fs/promises';
import type { Clock } from '../runtime/clock.ts';
import type { ConnectionFailure, ConnectionTrial } from '../runtime/connection-trial.ts';
import type { TransportAddress } from '../transport/transport-address.ts';
import { failureOf } from '../transport/transport-failure.ts';
import { transportTo } from '../transport/transport-to.ts';
import { tryStream, withRemedy } from '../transport/try-transport.ts';
import { type ClientTlsConfiguration, readClientTls } from './client-tls.ts';

/** Connects without a message. A receiver of datagrams does not answer: only its name or its socket is looked up. */
export async function tryReceiver(
  protocol: string,
  { address, timeout, ...tlsKeys }: ReceiverConfiguration,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConnectionTrial> {
  let target = `${protocol} ${address.kind}`;
  try {
    const tls = address.kind === 'tls' ? await readClientTls(tlsKeys) : undefined;
    const to = transportTo(address, { clock, tls, timeoutMs: timeout });
    target = `${protocol} ${to.transport.address}`;
    const failure = to.kind === 'stream' ? await tryStream(to.transport, signal) : await tryPackets(address);
    if (to.kind === 'packets') to.transport.close();
    return failure === undefined ? { target } : { target, failure };
  } catch (error) {
    return { target, failure: withRemedy(failureOf(error)) };
  }
}

export interface ReceiverConfiguration extends ClientTlsConfiguration {
  readonly address: TransportAddress;
  /** In milliseconds. */
  readonly timeout: number;
}

async function tryPackets(address: TransportAddress): Promise<ConnectionFailure | undefined> {
  if ('host' in address) await lookup(address.host);
  if (!('path' in address) || (await stat(address.path)).isSocket()) return undefined;
  return { reason: 'it is not a socket', remedy: 'Correct the path' };
}
