import type { EmitterType } from '../emitter.ts';
import { POSTGRES_FORMAT, type PostgresConfiguration, parsePostgresConfiguration } from './configuration.ts';

export const postgresType: EmitterType<PostgresConfiguration> = {
  ...POSTGRES_FORMAT,
  description: 'Stores records in PostgreSQL or TimescaleDB exactly once, and makes them searchable.',
  guarantee: 'exactly-once',
  inThread: true,
  publishFrequencyMs: 1000,
  dialect: 'postgres',
  parse: parsePostgresConfiguration,
  tryConnections: async (configuration) => {
    const { tryConnection } = await import('./try-connection.ts');
    return [await tryConnection(configuration)];
  },
  create: async (configuration, environment) => {
    const { PostgresEmitter } = await import('./postgres-emitter.ts');
    return new PostgresEmitter(configuration, environment);
  },
};
