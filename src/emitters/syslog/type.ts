import type { EmitterType } from '../emitter.ts';
import { tryReceiver } from '../try-receiver.ts';
import { parseSyslogConfiguration, SYSLOG_FORMAT, type SyslogConfiguration } from './configuration.ts';
import { SyslogEmitter } from './syslog-emitter.ts';

export const syslogType: EmitterType<SyslogConfiguration> = {
  ...SYSLOG_FORMAT,
  description: 'Sends each record as a syslog message, over UDP, TCP, TLS or a Unix socket.',
  guarantee: 'at-least-once',
  parse: parseSyslogConfiguration,
  tryConnections: async (configuration, context) => [await tryReceiver('syslog', configuration, context)],
  create: (configuration, environment) => new SyslogEmitter(configuration, environment),
};
