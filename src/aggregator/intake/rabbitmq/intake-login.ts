import { readClientTls } from '../../../emitters/client-tls.ts';
import type { BrokerLogin } from '../../../transport/rabbitmq/broker-connection.ts';
import type { RabbitmqIntakeConfiguration } from './configuration.ts';

/** Throws if a certificate file cannot be read. */
export async function intakeLogin(configuration: RabbitmqIntakeConfiguration): Promise<BrokerLogin> {
  const { address: addresses, username, password, timeout, queue } = configuration;
  const hasTls = addresses.some((each) => each.hasTls);
  const tls = hasTls ? await readClientTls(configuration) : undefined;
  return { addresses, username, password, tls, timeoutMs: timeout, purpose: `intake of ${queue}` };
}
