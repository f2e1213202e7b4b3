import type { EmitterType } from '../emitter.ts';
import { parseRelpConfiguration, RELP_FORMAT, type RelpConfiguration } from './configuration.ts';
import { RelpEmitter } from './relp-emitter.ts';
import { tryConnection } from './try-connection.ts';

export const relpType: EmitterType<RelpConfiguration> = {
  ...RELP_FORMAT,
  description: 'Sends each record as a syslog message over RELP, which acknowledges each message.',
  guarantee: 'at-least-once',
  parse: parseRelpConfiguration,
  tryConnections: async (configuration, context) => [await tryConnection(configuration, context)],
  create: (configuration, environment) => new RelpEmitter(configuration, environment),
};
