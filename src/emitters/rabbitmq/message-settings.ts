import type { RabbitmqConfiguration } from './configuration.ts';
import type { MessageSettings } from './outgoing-messages.ts';
import { parseRoutingKey } from './routing-key.ts';

export function messageSettings(configuration: RabbitmqConfiguration): MessageSettings {
  const { body, compression, exchange, mandatory, routing_key, queue = '' } = configuration;
  const routingKey = routing_key ?? parseRoutingKey('') ?? { text: '', parts: [''] };
  return {
    ...{ body, compression, exchange, mandatory },
    routingKey: routing_key === undefined ? { text: queue, parts: [queue] } : routingKey,
  };
}
