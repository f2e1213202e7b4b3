import type { EmitterType } from '../emitter.ts';
import { tryWriting } from '../try-writing.ts';
import {
  DUCKDB_FORMAT,
  type DuckDbConfiguration,
  databasePath,
  parseDuckDbConfiguration,
} from './configuration.ts';

export const duckdbType: EmitterType<DuckDbConfiguration> = {
  ...DUCKDB_FORMAT,
  description: 'Keeps records exactly once in its own database file, where they can be searched.',
  guarantee: 'exactly-once',
  inThread: true,
  mustNotTerminate: true,
  isDefault: true,
  dialect: 'duckdb',
  publishFrequencyMs: 1000,
  // A transaction with more rows than a row group (61,440) is written to the file directly, without the log. The
  // limit of time ends only the groups of a backlog: without one, each batch is flushed.
  groupLimits: { bytes: 32 * 1024 * 1024, ms: 5000 },
  parse: parseDuckDbConfiguration,
  outputs: (configuration, context) => {
    const path = databasePath(configuration, context);
    return [path, `${path}.wal`].map((each) => ({ kind: 'file', path: each }));
  },
  tryConnections: async (configuration, context) => {
    const path = databasePath(configuration, context);
    const failure = await tryWriting(path);
    return [{ target: `the database file ${path}`, ...(failure && { failure }) }];
  },
  create: async (configuration, environment) => {
    const { DuckDbEmitter } = await import('./duckdb-emitter.ts');
    return new DuckDbEmitter(configuration, environment);
  },
};
