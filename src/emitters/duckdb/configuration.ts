import { join, resolve } from 'node:path';
import { z } from 'zod';
import { parseByteSize } from '../../runtime/configuration/byte-size.ts';
import { ConfigurationError } from '../../runtime/configuration/configuration-error.ts';
import { durationToMs, parseDuration } from '../../runtime/configuration/duration.ts';
import { type ConfigurationOf, parseSwitchedConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter, EmitterContext } from '../emitter.ts';

/** With less memory, DuckDB cannot even compress a part of a table. */
const MIN_MEMORY_BYTES = 64 * 1024 ** 2;

const path = z
  .string()
  .refine((text) => text !== '' && !text.endsWith('/') && !text.includes('\0'), 'expected the path of a file')
  .transform((text) => resolve(text));

function byteSize(minimum: number, expected: string) {
  return z
    .union([z.number(), z.string().transform(parseByteSize)], expected)
    .refine((bytes) => Number.isSafeInteger(bytes) && Number(bytes) >= minimum, expected)
    .transform(Number);
}

const age = z.union([z.string(), z.literal(0)]).transform((given, context) => {
  try {
    const ms = given === 0 ? 0 : durationToMs(parseDuration(given));
    if (ms >= 0) return ms;
  } catch {
    // Reported below.
  }
  context.addIssue({ code: 'custom', message: 'expected a duration such as "720h", or 0 for none' });
  return z.NEVER;
});

const shape = {
  /** Absolute once parsed. */
  path: path.optional().meta({
    format: 'path',
    description:
      'Path of the database file. Its write-ahead log (`.wal`) and temporary data (`.tmp`) are in the same directory. Default: `duckdb/<name>/logs.duckdb` in the state directory.',
  }),
  memory: byteSize(
    MIN_MEMORY_BYTES,
    'expected at least 64 MiB: a number of bytes, or a text such as "256MiB"',
  )
    .prefault('256MiB')
    .meta({
      format: 'number of bytes, or a text such as `"256MiB"`; at least 64 MiB',
      description: 'Memory limit of the database, in addition to the memory of the aggregator.',
    }),
  threads: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .meta({ format: '1 to 64', description: 'Number of threads of the database.' }),
  /** Milliseconds once parsed. */
  retention_age: age.prefault('720h').meta({
    format: 'duration such as `"720h"`, or `0`',
    description: 'Delete records that were read longer ago than this; 0 keeps all.',
  }),
  retention_size: byteSize(0, 'expected a number of bytes, a text such as "50GiB", or 0 for no limit')
    .prefault('50GiB')
    .meta({
      format: 'number of bytes, or a text such as `"50GiB"`; or `0`',
      description:
        'Maximum size of the database; the records that were stored first are deleted. 0: no limit.',
    }),
};

export const DUCKDB_FORMAT = {
  type: 'duckdb',
  variable: 'AGGREGATOR_DUCKDB_CONFIGURATION',
  example: '{"retention_age": "720h", "retention_size": "50GiB"}',
  shape,
} as const;

export type DuckDbConfiguration = ConfigurationOf<typeof shape>;

/** The database file of the emitter with this name. */
export function databasePath(
  { path: configured }: Pick<DuckDbConfiguration, 'path'>,
  { name, stateDirectory }: Pick<EmitterContext, 'name' | 'stateDirectory'>,
): string {
  return configured ?? join(stateDirectory, 'duckdb', name, 'logs.duckdb');
}

/** `1`, `on` or any other word selects the defaults; falsy words configure nothing. */
export function parseDuckDbConfiguration(value: string): readonly ConfiguredEmitter<DuckDbConfiguration>[] {
  const configured = parseSwitchedConfigurations({ ...DUCKDB_FORMAT, value });
  const paths = new Set<string>();
  const problems = configured.flatMap(({ configuration: { path: each } }, index) => {
    if (each === undefined || !paths.has(each)) {
      if (each !== undefined) paths.add(each);
      return [];
    }
    return [
      {
        variable: `${DUCKDB_FORMAT.variable}[${index}].path`,
        message: 'another emitter writes to this file',
      },
    ];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}
