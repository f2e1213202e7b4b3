import type { EmitterType } from '../emitter.ts';
import {
  CLICKHOUSE_FORMAT,
  type ClickHouseConfiguration,
  parseClickHouseConfiguration,
} from './configuration.ts';

export const clickhouseType: EmitterType<ClickHouseConfiguration> = {
  ...CLICKHOUSE_FORMAT,
  description: 'Stores records in ClickHouse, each once on reading, and makes them searchable.',
  guarantee: 'exactly-once',
  inThread: true,
  publishFrequencyMs: 1000,
  // ClickHouse merges the rows of each INSERT later: few large ones are cheap.
  groupLimits: { bytes: 128 * 1024 * 1024, ms: 3000 },
  dialect: 'clickhouse',
  parse: parseClickHouseConfiguration,
  tryConnections: async (configuration, context) => {
    const { tryConnection } = await import('./try-connection.ts');
    return [await tryConnection(configuration, context)];
  },
  create: async (configuration, environment) => {
    const { ClickHouseEmitter } = await import('./clickhouse-emitter.ts');
    return new ClickHouseEmitter(configuration, environment);
  },
};
