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
  description: 'Keeps records exactly once in its own database file, where they can be searched.',
  example: '{"retention_age": "720h", "retention_size": "50GiB"}',
  guarantee: 'exactly-once',
  inThread: true,
  mustNotTerminate: true,
  isDefault: true,
  dialect: 'duckdb',
  publishFrequencyMs: 1000,
  // A transaction with more rows than a row group (122,880) is written to the file directly, without the log.
  groupLimits: { bytes: 32 * 1024 * 1024, ms: 1000 },
  options: [
    {
      key: 'path',
      format: 'path',
      default: '`duckdb/<name>/logs.duckdb` in the state directory',
      description:
        'Path of the database file. Its write-ahead log (`.wal`) and temporary data (`.tmp`) are in the same directory.',
    },
    {
      key: 'memory',
      format: 'number of bytes, or a text such as `"256MiB"`; at least 64 MiB',
      default: '"256MiB"',
      description: 'Memory limit of the database, in addition to the memory of the aggregator.',
    },
    {
      key: 'threads',
      format: '1 to 64',
      default: '2',
      description: 'Number of threads of the database.',
    },
    {
      key: 'retention_age',
      format: 'duration such as `"720h"`, or `0`',
      default: '"720h"',
      description: 'Delete records that were read longer ago than this; 0 keeps all.',
    },
    {
      key: 'retention_size',
      format: 'number of bytes, or a text such as `"50GiB"`; or `0`',
      default: '"50GiB"',
      description:
        'Maximum size of the database; the records that were stored first are deleted. 0: no limit.',
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
