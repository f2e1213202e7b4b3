import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { brokerAddressText } from '../../transport/rabbitmq/broker-address.ts';
import { BrokerConnector } from '../../transport/rabbitmq/broker-connection.ts';
import { failureOf } from '../../transport/transport-failure.ts';
import { withRemedy } from '../../transport/try-transport.ts';
import type { ConnectionContext } from '../emitter.ts';
import { brokerLogin } from './broker-login.ts';
import type { RabbitmqConfiguration } from './configuration.ts';

/** Logs in at each broker, and declares and publishes nothing. */
export async function tryConnections(
  configuration: RabbitmqConfiguration,
  { name, signal }: ConnectionContext,
): Promise<readonly ConnectionTrial[]> {
  return await Promise.all(
    configuration.address.map(async (address): Promise<ConnectionTrial> => {
      const target = `RabbitMQ ${brokerAddressText(address)}`;
      try {
        const login = await brokerLogin(configuration, name);
        const opening = await new BrokerConnector({ ...login, addresses: [address] }).open(signal);
        if (opening.kind === 'failed') return { target, failure: withRemedy(opening.failure) };
        await opening.connection.close(signal);
        return { target };
      } catch (error) {
        return { target, failure: withRemedy(failureOf(error)) };
      }
    }),
  );
}
