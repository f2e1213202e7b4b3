import type { EmitterType } from '../emitter.ts';
import { LOGPLEX_FORMAT, type LogplexConfiguration, parseLogplexConfiguration } from './configuration.ts';
import { LogplexEmitter } from './logplex-emitter.ts';
import { tryConnections } from './try-connections.ts';

export const logplexType: EmitterType<LogplexConfiguration> = {
  ...LOGPLEX_FORMAT,
  description:
    'Posts records over HTTP to logplex or a compatible server: to one channel, or to one per tenant.',
  guarantee: 'at-least-once',
  parse: parseLogplexConfiguration,
  tryConnections,
  create: (configuration, environment) => new LogplexEmitter(configuration, environment),
};
