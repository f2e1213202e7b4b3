import type { EmitterType } from '../emitter.ts';
import { tryReceiver } from '../try-receiver.ts';
import { GELF_FORMAT, type GelfConfiguration, parseGelfConfiguration } from './configuration.ts';
import { GelfEmitter } from './gelf-emitter.ts';

export const gelfType: EmitterType<GelfConfiguration> = {
  ...GELF_FORMAT,
  description: 'Sends each record as a GELF message to Graylog, over TCP, TLS, UDP or a Unix socket.',
  guarantee: 'at-least-once',
  parse: parseGelfConfiguration,
  tryConnections: async (configuration, context) => [await tryReceiver('GELF', configuration, context)],
  create: (configuration, environment) => new GelfEmitter(configuration, environment),
};
