import { z } from 'zod';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { durationToMs, parseDuration } from '../../runtime/configuration/duration.ts';
import { fileOf } from '../../runtime/configuration/schema-options.ts';
import { pemText } from '../../runtime/tls.ts';
import { type ConfigurationOf, parseSwitchedConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { parsePostgresUrl } from './parse-postgres-url.ts';

/** A shorter timeout would interrupt searches; a longer one would not detect dead connections. */
const MIN_TIMEOUT_MS = 100;
const MAX_TIMEOUT_MS = 3_600_000;
/** A shorter retention would make every maintenance run search for single rows to delete. */
const MIN_RETENTION_MS = 3_600_000;

const milliseconds = (text: string): number => {
  try {
    return durationToMs(parseDuration(text));
  } catch {
    return Number.NaN;
  }
};

const timeout = z
  .string()
  .transform(milliseconds)
  .refine((ms) => ms >= MIN_TIMEOUT_MS && ms <= MAX_TIMEOUT_MS, 'expected a duration from "100ms" to "1h"');

const retentionAge = z
  .string()
  .transform(milliseconds)
  .refine((ms) => ms === 0 || ms >= MIN_RETENTION_MS, 'expected "0" (keep) or at least "1h", such as "720h"');

const pem = z
  .string()
  .transform(pemText)
  .refine((text) => text.includes('-----BEGIN '), 'expected PEM text (for a path, add _file to the key)');
const path = z.string().min(1, 'expected the path of a file');
const text = z.string().min(1, 'expected some text');

const url = z.string().transform((value, context) => {
  const parsed = parsePostgresUrl(value);
  if (!('fault' in parsed)) return parsed;
  context.addIssue({ code: 'custom', message: parsed.fault });
  return z.NEVER;
});

/** It is part of SQL statements, so the pattern is strict. */
const schemaName = z
  .string()
  .regex(
    /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/,
    'expected 1 to 63 of a-z, 0-9 and _, no digit first, not beginning with pg_',
  );

const shape = {
  url: url.optional().meta({
    format: '`postgresql://user:password@host:port/database`',
    description:
      'URL of the server, optionally with `?sslmode=` or `?host=/run/postgresql`. Or the five keys below.',
  }),
  host: text.optional().meta({
    format: 'name, address, or directory of a Unix socket',
    description: 'Default without a url: `PGHOST`.',
  }),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .meta({ format: '1 to 65535', default: '5432', description: 'Default port, unless `PGPORT` is set.' }),
  user: text.optional().meta({ format: 'name', description: 'Default: `PGUSER`.' }),
  password: text.optional().meta({ format: 'text', description: 'Default: `PGPASSWORD`.' }),
  password_file: path.optional().meta(fileOf('password')),
  database: text.optional().meta({ format: 'name', description: 'Default: `PGDATABASE`.' }),
  ssl: z.enum(['disable', 'require', 'verify-full']).optional().meta({
    default: '"verify-full"',
    description:
      'Encryption and certificate verification. Default for connections to this machine: `"disable"`.',
  }),
  ca: pem.optional().meta({
    format: 'PEM text',
    description: 'Trusted certificate authorities instead of those of Node.',
  }),
  certificate: pem
    .optional()
    .meta({ format: 'PEM text', description: 'The client certificate, followed by its chain.' }),
  key: pem.optional().meta({ format: 'PEM text', description: 'The private key of the client certificate.' }),
  ca_file: path.optional().meta(fileOf('ca')),
  certificate_file: path.optional().meta(fileOf('certificate')),
  key_file: path.optional().meta(fileOf('key')),
  schema: schemaName.default('mega_collector').meta({
    format: 'name of a-z, 0-9 and `_`',
    description: 'Schema of the tables. Created if it does not exist.',
  }),
  retention_age: retentionAge.prefault('0').meta({
    format: 'duration',
    description: 'Records read longer ago are deleted, in whole days. `"0"`: keep all.',
  }),
  timescale: z.enum(['auto', 'off']).default('auto').meta({
    description: 'Whether a new table uses TimescaleDB if the extension is available.',
  }),
  text_index: z.enum(['auto', 'off']).default('auto').meta({
    description:
      'Whether days that are over get an index for text searches, if the extension `pg_trgm` is available.',
  }),
  stream_index: z.enum(['auto', 'off']).default('auto').meta({
    description: 'Whether days that are over get an index for the neighbours of a record in its stream.',
  }),
  connection_timeout: timeout
    .prefault('10s')
    .meta({ format: 'duration', description: 'Timeout of connecting.' }),
  statement_timeout: timeout.prefault('60s').meta({
    format: 'duration',
    description: 'Timeout of a writing statement, and of each lock wait.',
  }),
};

export const POSTGRES_FORMAT = {
  type: 'postgres',
  variable: 'AGGREGATOR_POSTGRES_CONFIGURATION',
  example: '{"url": "postgresql://collector@db.example/logs", "retention_age": "720h"}',
  shape,
} as const;

export type PostgresConfiguration = ConfigurationOf<typeof shape>;

/** A switch or JSON: `1` selects the server of PGHOST and the like. */
export function parsePostgresConfiguration(
  value: string,
): readonly ConfiguredEmitter<PostgresConfiguration>[] {
  const configured = parseSwitchedConfigurations({ ...POSTGRES_FORMAT, value });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index) =>
    contradictions(
      configuration,
      isList ? `${POSTGRES_FORMAT.variable}[${index}]` : POSTGRES_FORMAT.variable,
    ),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}

type Key = keyof PostgresConfiguration;

const IN_URL = ['host', 'port', 'user', 'password', 'database', 'ssl'] as const;
const PAIRS: readonly (readonly [Key, Key])[] = [
  ['password', 'password_file'],
  ['ca', 'ca_file'],
  ['certificate', 'certificate_file'],
  ['key', 'key_file'],
];

/** Contradictory options and incomplete pairs. */
function contradictions(configuration: PostgresConfiguration, place: string): ConfigurationProblem[] {
  const given = (key: Key) => configuration[key] !== undefined;
  const problem = (key: Key, message: string) => ({ variable: `${place}.${key}`, message });
  const has = (key: 'certificate' | 'key') => given(key) || given(`${key}_file`);
  return [
    ...IN_URL.filter((key) => given(key) && configuration.url?.[key] !== undefined).map((key) =>
      problem(key, 'is also part of the url; remove one of them'),
    ),
    ...PAIRS.filter(([one, file]) => given(one) && given(file)).map(([one, file]) =>
      problem(file, `cannot be combined with "${one}"; remove one of them`),
    ),
    ...(has('certificate') === has('key')
      ? []
      : [problem('certificate', 'certificate and key must be set together')]),
  ];
}
