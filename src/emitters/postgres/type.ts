import type { EmitterType } from '../emitter.ts';
import {
  POSTGRES_VARIABLE,
  type PostgresConfiguration,
  parsePostgresConfiguration,
} from './configuration.ts';
import { POSTGRES_OPTIONS } from './options.ts';

export const postgresType: EmitterType<PostgresConfiguration> = {
  type: 'postgres',
  variable: POSTGRES_VARIABLE,
  description: 'Stores records in PostgreSQL or TimescaleDB exactly once, and makes them searchable.',
  example: '{"url": "postgresql://collector@db.example/logs", "retention_age": "720h"}',
  guarantee: 'exactly-once',
  inThread: true,
  publishFrequencyMs: 1000,
  dialect: 'postgres',
  options: POSTGRES_OPTIONS,
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
