import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { failureOf } from '../transport-failure.ts';
import { withRemedy } from '../try-transport.ts';
import { type BrokerAddress, brokerAddressText } from './broker-address.ts';
import { BrokerConnector, type BrokerLogin } from './broker-connection.ts';

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
    const opening = await new BrokerConnector({ ...(await login()), addresses: [address] }).open(signal);
    if (opening.kind === 'failed') return { target, failure: withRemedy(opening.failure) };
    await opening.connection.close(signal);
    return { target };
  } catch (error) {
    return { target, failure: withRemedy(failureOf(error)) };
  }
}
