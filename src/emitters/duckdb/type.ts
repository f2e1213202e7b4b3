import type { EmitterType } from '../emitter.ts';
import { tryWriting } from '../try-writing.ts';
import {
  DUCKDB_VARIABLE,
  type DuckDbConfiguration,
  databasePath,
  parseDuckDbConfiguration,
} from './configuration.ts';

export const duckdbType: EmitterType<DuckDbConfiguration> = {
  type: 'duckdb',
  variable: DUCKDB_VARIABLE,
  description: 'Keeps records in a database file of its own, to be searched: each record exactly once.',
  example: '{"retention_age": "720h", "retention_size": "50GiB"}',
  guarantee: 'exactly-once',
  inThread: true,
  mustNotTerminate: true,
  isDefault: true,
  dialect: 'duckdb',
  publishFrequencyMs: 1000,
  // What is larger than a group of rows (122,880) goes into the file at once, without a detour through the log.
  groupLimits: { bytes: 32 * 1024 * 1024, ms: 1000 },
  options: [
    {
      key: 'path',
      format: 'path',
      default: '`duckdb/<name>/logs.duckdb` in the state directory',
      description:
        'The database file. Beside it lie its write-ahead log (`.wal`) and what does not fit in memory (`.tmp`).',
    },
    {
      key: 'memory',
      format: 'number of bytes, or a text such as `"256MiB"`; at least 64 MiB',
      default: '"256MiB"',
      description: 'What the database may use, besides what the aggregator needs itself.',
    },
    {
      key: 'threads',
      format: '1 to 64',
      default: '2',
      description: 'How many threads the database may compute with.',
    },
    {
      key: 'retention_age',
      format: 'duration such as `"720h"`, or `0`',
      default: '"720h"',
      description: 'Records that were read longer ago are deleted; 0: none are for their age.',
    },
    {
      key: 'retention_size',
      format: 'number of bytes, or a text such as `"50GiB"`; or `0`',
      default: '"50GiB"',
      description:
        'When the database is larger, the records that were stored first are deleted; 0: none are.',
    },
  ],
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
