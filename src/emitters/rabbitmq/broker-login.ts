import type { BrokerLogin } from '../../transport/rabbitmq/broker-connection.ts';
import type { BrokerTopology } from '../../transport/rabbitmq/topology.ts';
import { readClientTls } from '../client-tls.ts';
import type { RabbitmqConfiguration } from './configuration.ts';

/** Throws if a certificate file cannot be read. */
export async function brokerLogin(configuration: RabbitmqConfiguration, name: string): Promise<BrokerLogin> {
  const { address: addresses, username, password, timeout } = configuration;
  const hasTls = addresses.some((each) => each.hasTls);
  const tls = hasTls ? await readClientTls(configuration) : undefined;
  return { addresses, username, password, tls, timeoutMs: timeout, purpose: `emitter ${name}` };
}

export function topologyOf(configuration: RabbitmqConfiguration): BrokerTopology {
  const { queue, queue_type, exchange, exchange_type, binding_key } = configuration;
  return {
    queue,
    queueType: queue_type,
    exchange,
    exchangeType: exchange_type,
    bindingKey: binding_key,
    deadLetterExchange: configuration.dead_letter_exchange,
    maxBytes: configuration.max_bytes,
  };
}
