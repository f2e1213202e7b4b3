import type { EmitterType } from '../emitter.ts';
import { GELF_VARIABLE, type GelfConfiguration, parseGelfConfiguration } from './configuration.ts';
import { GelfEmitter } from './gelf-emitter.ts';
import { GELF_OPTIONS } from './options.ts';
import { tryConnection } from './try-connection.ts';

export const gelfType: EmitterType<GelfConfiguration> = {
  type: 'gelf',
  variable: GELF_VARIABLE,
  description: 'Sends each record as a GELF message to Graylog, over TCP, TLS, UDP or a Unix socket.',
  example: '{"address": "tcp://graylog.example:12201"}',
  guarantee: 'at-least-once',
  options: GELF_OPTIONS,
  parse: parseGelfConfiguration,
  tryConnections: async (configuration, context) => [await tryConnection(configuration, context)],
  create: (configuration, environment) => new GelfEmitter(configuration, environment),
};
