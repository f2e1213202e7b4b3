import { z } from 'zod';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { durationToMs, parseDuration } from '../../runtime/configuration/duration.ts';
import { fileOf } from '../../runtime/configuration/schema-options.ts';
import { clientTlsProblems, clientTlsShape } from '../client-tls.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { durationOption } from '../option-schemas.ts';

/** A shorter retention would drop the day that is being written. */
const MIN_RETENTION_MS = 3_600_000;

const text = z.string().min(1, 'expected some text');

/** Names are part of statements, so the patterns are strict. */
const databaseName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'expected 1 to 63 of A-Z, a-z, 0-9 and _, no digit first');
const clusterName = z
  .string()
  .regex(/^[A-Za-z0-9_.{}-]{1,128}$/, 'expected the name of a cluster, or a macro such as "{cluster}"');

const url = z.string().transform((value, context) => {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  const isHttp = parsed?.protocol === 'http:' || parsed?.protocol === 'https:';
  if (
    parsed !== undefined &&
    isHttp &&
    parsed.pathname === '/' &&
    parsed.search === '' &&
    parsed.hash === ''
  ) {
    if (parsed.username === '' && parsed.password === '') return parsed.origin;
    context.addIssue({ code: 'custom', message: 'must not contain a user; use the keys user and password' });
    return z.NEVER;
  }
  context.addIssue({ code: 'custom', message: 'expected http://host:8123 or https://host:8443' });
  return z.NEVER;
});

const retentionAge = z
  .string()
  .transform((value) => {
    try {
      return durationToMs(parseDuration(value));
    } catch {
      return Number.NaN;
    }
  })
  .refine((ms) => ms === 0 || ms >= MIN_RETENTION_MS, 'expected "0" (keep) or at least "1h", such as "720h"');

const shape = {
  url: z.union([url.transform((one) => [one]), z.array(url).min(1)]).meta({
    format: '`https://host:8443`, or a list of them',
    description:
      'HTTP address of the server. With several replicas of one cluster: a list; the next one is used while one is unreachable.',
  }),
  user: text.default('default').meta({ format: 'name', description: 'User of the server.' }),
  password: text.optional().meta({ format: 'text', description: 'Its password.' }),
  password_file: text.optional().meta(fileOf('password')),
  database: databaseName.default('mega_collector').meta({
    format: 'name of letters, digits and `_`',
    description: 'Database of the tables. Created if it does not exist.',
  }),
  cluster: clusterName.optional().meta({
    format: 'name, or a macro such as `{cluster}`',
    description: 'Creates the tables on all servers of this cluster (`ON CLUSTER`).',
  }),
  replicated: z.boolean().default(false).meta({
    description:
      'Whether new tables are of the `Replicated` engines. Needs ClickHouse Keeper, and `default_replica_path` of the server.',
  }),
  retention_age: retentionAge.prefault('0').meta({
    format: 'duration',
    description: 'Records read longer ago are deleted, in whole days. `"0"`: keep all.',
  }),
  fsync: z.boolean().default(true).meta({
    description:
      'Whether the server flushes new rows to its disk before it answers. Applies to new tables without `replicated`.',
  }),
  text_index: z.enum(['auto', 'off']).default('auto').meta({
    description: 'Whether days that are over get an index for text searches.',
  }),
  timeout: durationOption
    .prefault('60s')
    .meta({ format: 'duration', description: 'Timeout of a writing request.' }),
  ...clientTlsShape,
};

export const CLICKHOUSE_FORMAT = {
  type: 'clickhouse',
  variable: 'AGGREGATOR_CLICKHOUSE_CONFIGURATION',
  example: '{"url": "https://clickhouse.example:8443", "user": "collector", "password_file": "/etc/secret"}',
  shape,
} as const;

export type ClickHouseConfiguration = ConfigurationOf<typeof shape>;

export function parseClickHouseConfiguration(
  value: string,
): readonly ConfiguredEmitter<ClickHouseConfiguration>[] {
  const configured = parseConfigurations({ ...CLICKHOUSE_FORMAT, value });
  const isList = value.trimStart().startsWith('[');
  const { variable } = CLICKHOUSE_FORMAT;
  const problems = configured.flatMap(({ configuration }, index) =>
    contradictions(configuration, isList ? `${variable}[${index}]` : variable),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}

function contradictions(
  configuration: ClickHouseConfiguration,
  place: string,
): readonly ConfigurationProblem[] {
  const hasTls = configuration.url.some((each) => each.startsWith('https:'));
  const both = configuration.password !== undefined && configuration.password_file !== undefined;
  return [
    ...(both
      ? [
          {
            variable: `${place}.password_file`,
            message: 'cannot be combined with "password"; remove one of them',
          },
        ]
      : []),
    ...clientTlsProblems(configuration, { place, hasTls, kind: 'https' }),
  ];
}
