import { tryBrokers } from '../../transport/rabbitmq/try-brokers.ts';
import type { EmitterType } from '../emitter.ts';
import { brokerLogin } from './broker-login.ts';
import {
  parseRabbitmqConfiguration,
  RABBITMQ_FORMAT,
  type RabbitmqConfiguration,
  usesStreamProtocol,
} from './configuration.ts';

export const rabbitmqType: EmitterType<RabbitmqConfiguration> = {
  ...RABBITMQ_FORMAT,
  description:
    'Publishes records to a queue, an exchange or a stream of RabbitMQ, with publisher confirms; an aggregator can consume them.',
  guarantee: 'at-least-once',
  parse: parseRabbitmqConfiguration,
  tryConnections: (configuration, { name, signal }) =>
    tryBrokers(configuration.address, () => brokerLogin(configuration, name), signal),
  create: async (configuration, environment) => {
    if (usesStreamProtocol(configuration)) {
      const { StreamEmitter } = await import('./stream-emitter.ts');
      return new StreamEmitter(configuration, environment);
    }
    const { RabbitmqEmitter } = await import('./rabbitmq-emitter.ts');
    return new RabbitmqEmitter(configuration, environment);
  },
};
