import { z } from 'zod';
import { httpUrl, isFault, parseLogplexUrl } from '../../protocols/logplex/logplex-target.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { fileOf } from '../../runtime/configuration/schema-options.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';
import { durationOption, pemOption } from '../option-schemas.ts';

/** One destination. The parsed target is plain data, so it can be passed to a worker thread. */
const url = z.string().transform((text, context) => {
  const target = parseLogplexUrl(text);
  if (!isFault(target)) return target;
  context.addIssue({ code: 'custom', message: target.fault });
  return z.NEVER;
});

/** With both user and password, or with neither. */
const logplexUrl = z.string().superRefine((text, context) => {
  const parsed = httpUrl(text);
  const target = parsed?.username ? parseLogplexUrl(text) : undefined;
  if (parsed === undefined)
    context.addIssue({ code: 'custom', message: 'expected a URL that begins with https: or http:' });
  else if (target !== undefined && isFault(target))
    context.addIssue({ code: 'custom', message: target.fault });
});

const shape = {
  url: url.optional().meta({
    format: '`https://token:<token>@host/logs`',
    description:
      'One destination for all records. Excludes `serve_db_dir`. Percent-encode special characters.',
  }),
  serve_db_dir: z.string().min(1, 'expected the path of a directory').optional().meta({
    format: 'path of a directory',
    description:
      'Directory with `serves.loaded`, which lists one destination per identity of PostgreSQL servers.',
  }),
  logplex_url: logplexUrl.optional().meta({
    format: 'URL, optionally with user and password',
    description: 'URL for serve records with a token (`t`); requires `serve_db_dir`.',
  }),
  text: z.enum(['classic', 'structured']).default('classic').meta({
    description:
      'Format of PostgreSQL records; see [logplex.md](logplex.md). Other records are sent as their body.',
  }),
  long_text: z.enum(['split', 'truncate']).default('split').meta({
    description: 'Handling of messages above 10,240 bytes: split them into several, or truncate them.',
  }),
  host: z.string().min(1).optional().meta({
    format: 'text',
    description: 'Host in every message; overrides that of the style or the record.',
  }),
  ordered: z.boolean().default(false).meta({
    description: 'Send one request at a time per destination instead of up to three.',
  }),
  patience: durationOption.prefault('1m').meta({
    format: 'duration',
    description:
      'How long one of several destinations may delay the others before its records become dead letters.',
  }),
  ca: pemOption.optional().meta({
    format: 'PEM text',
    description: 'Trusted certificate authorities instead of those of Node.',
  }),
  ca_file: z.string().min(1, 'expected the path of a file').optional().meta(fileOf('ca')),
  insecure: z.boolean().default(false).meta({ description: 'Do not verify certificates. For tests only.' }),
  connect_timeout: durationOption
    .prefault('5s')
    .meta({ format: 'duration', description: 'Timeout of connecting.' }),
  tls_timeout: durationOption
    .prefault('5s')
    .meta({ format: 'duration', description: 'Timeout of the TLS handshake.' }),
  request_timeout: durationOption
    .prefault('10s')
    .meta({ format: 'duration', description: 'Timeout of a request including its response.' }),
  idle_timeout: durationOption
    .prefault('30s')
    .meta({ format: 'duration', description: 'Close unused connections after this time.' }),
};

export const LOGPLEX_FORMAT = {
  type: 'logplex',
  variable: 'AGGREGATOR_LOGPLEX_CONFIGURATION',
  example: '{"url": "https://token:t.00000000-0000-0000-0000-000000000000@logplex.example.com/logs"}',
  shape,
} as const;

export type LogplexConfiguration = ConfigurationOf<typeof shape>;

export function parseLogplexConfiguration(value: string): readonly ConfiguredEmitter<LogplexConfiguration>[] {
  const configured = parseConfigurations({ ...LOGPLEX_FORMAT, value });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index) =>
    contradictions(configuration, isList ? `${LOGPLEX_FORMAT.variable}[${index}]` : LOGPLEX_FORMAT.variable),
  );
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configured;
}

/** Missing, contradictory and ineffective options. */
function contradictions(configuration: LogplexConfiguration, place: string): ConfigurationProblem[] {
  const { url: target, serve_db_dir, logplex_url, ca, ca_file, insecure } = configuration;
  const problems: ConfigurationProblem[] = [];
  const problem = (key: string, message: string) => problems.push({ variable: `${place}${key}`, message });
  if (target === undefined && serve_db_dir === undefined)
    problem('', 'expected "url" for one destination, or "serve_db_dir" for one per identity');
  if (target !== undefined && serve_db_dir !== undefined)
    problem('.serve_db_dir', 'cannot be combined with "url"; remove one of them');
  if (target !== undefined && logplex_url !== undefined)
    problem('.logplex_url', 'requires "serve_db_dir"; it has no effect with "url"');
  if (ca !== undefined && ca_file !== undefined)
    problem('.ca_file', 'cannot be combined with "ca"; remove one of them');
  if (insecure && (ca !== undefined || ca_file !== undefined))
    problem('.insecure', 'cannot be combined with "ca" or "ca_file"; remove one of them');
  return problems;
}
