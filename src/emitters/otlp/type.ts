import type { EmitterType } from '../emitter.ts';
import { OTLP_FORMAT, type OtlpConfiguration, parseOtlpConfiguration } from './configuration.ts';

export const otlpType: EmitterType<OtlpConfiguration> = {
  ...OTLP_FORMAT,
  description: 'Sends records as logs of OpenTelemetry (OTLP) over HTTP or gRPC.',
  guarantee: 'at-least-once',
  parse: parseOtlpConfiguration,
  tryConnections: async (configuration, context) => {
    const { tryConnection } = await import('./try-connection.ts');
    return [await tryConnection(configuration, context)];
  },
  create: async (configuration, environment) => {
    const { OtlpEmitter } = await import('./otlp-emitter.ts');
    return new OtlpEmitter(configuration, environment);
  },
};
