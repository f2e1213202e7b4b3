import { z } from 'zod';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { durationToMs, parseDuration } from '../../runtime/configuration/duration.ts';
import { pemText } from '../../runtime/tls.ts';
import { type ConfigurationOf, parseSwitchedConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { parsePostgresUrl } from './parse-postgres-url.ts';

export const POSTGRES_VARIABLE = 'AGGREGATOR_POSTGRES_CONFIGURATION';

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

const shape = {
  url: z
    .string()
    .transform((value, context) => {
      const parsed = parsePostgresUrl(value);
      if ('fault' in parsed) {
        context.addIssue({ code: 'custom', message: parsed.fault });
        return z.NEVER;
      }
      return parsed;
    })
    .optional(),
  /** Default, if absent here and in the url: the variables of PostgreSQL's programs (PGHOST, PGPORT, ...). */
  host: text.optional(),
  port: z.int().min(1).max(65_535).optional(),
  user: text.optional(),
  password: text.optional(),
  password_file: path.optional(),
  database: text.optional(),
  /** Default: `verify-full`; `disable` over a Unix socket or the loopback interface. */
  ssl: z.enum(['disable', 'require', 'verify-full']).optional(),
  ca: pem.optional(),
  ca_file: path.optional(),
  certificate: pem.optional(),
  certificate_file: path.optional(),
  key: pem.optional(),
  key_file: path.optional(),
  /** Schema of the tables. It is part of SQL statements, so the pattern is strict. */
  schema: z
    .string()
    .regex(
      /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/,
      'expected 1 to 63 of a-z, 0-9 and _, no digit first, not beginning with pg_',
    )
    .default('mega_collector'),
  retention_age: retentionAge.default(0),
  timescale: z.enum(['auto', 'off']).default('auto'),
  connection_timeout: timeout.default(10_000),
  statement_timeout: timeout.default(60_000),
};

export type PostgresConfiguration = ConfigurationOf<typeof shape>;

/** A switch or JSON: `1` selects the server of PGHOST and the like. */
export function parsePostgresConfiguration(
  value: string,
): readonly ConfiguredEmitter<PostgresConfiguration>[] {
  const configured = parseSwitchedConfigurations({
    variable: POSTGRES_VARIABLE,
    type: 'postgres',
    value,
    shape,
  });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index) =>
    contradictions(configuration, isList ? `${POSTGRES_VARIABLE}[${index}]` : POSTGRES_VARIABLE),
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
