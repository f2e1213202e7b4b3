import { systemClock } from '../../runtime/clock.ts';
import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import type { TransportFailure } from '../transport.ts';
import { failureOf } from '../transport-failure.ts';
import { withRemedy } from '../try-transport.ts';
import { type BrokerAddress, brokerAddressText } from './broker-address.ts';
import { BrokerConnector, type BrokerLogin } from './broker-connection.ts';
import { openStreamSession } from './open-stream-session.ts';
import { StreamSession } from './stream-session.ts';

/** Logs in at each broker, for --check --connect. Declares, publishes and consumes nothing. Never rejects. */
export async function tryBrokers(
  addresses: readonly BrokerAddress[],
  login: () => Promise<BrokerLogin>,
  signal: AbortSignal,
): Promise<readonly ConnectionTrial[]> {
  return await Promise.all(addresses.map((address) => tryBroker(address, login, signal)));
}

async function tryBroker(
  address: BrokerAddress,
  login: () => Promise<BrokerLogin>,
  signal: AbortSignal,
): Promise<ConnectionTrial> {
  const target = `RabbitMQ ${brokerAddressText(address)}`;
  try {
    const trial = address.protocol === 'stream' ? tryStream : tryAmqp;
    const failure = await trial(address, await login(), signal);
    return failure === undefined ? { target } : { target, failure: withRemedy(failure) };
  } catch (error) {
    return { target, failure: withRemedy(failureOf(error)) };
  }
}

async function tryAmqp(
  address: BrokerAddress,
  login: BrokerLogin,
  signal: AbortSignal,
): Promise<TransportFailure | undefined> {
  const opening = await new BrokerConnector({ ...login, addresses: [address] }).open(signal);
  if (opening.kind === 'failed') return opening.failure;
  await opening.connection.close(signal);
  return undefined;
}

async function tryStream(
  address: BrokerAddress,
  login: BrokerLogin,
  signal: AbortSignal,
): Promise<TransportFailure | undefined> {
  const { timeoutMs } = login;
  const listener = { confirmed: () => {}, failed: () => {} };
  const session = new StreamSession({ clock: systemClock, timeoutMs, listener });
  const plan = { address, login, clock: systemClock, writeTimeoutMs: timeoutMs };
  const failure = await openStreamSession(session, plan, signal);
  await session.close(signal);
  return failure;
}
