import { z } from 'zod';
import { httpUrl, isFault, parseLogplexUrl } from '../../protocols/logplex/logplex-target.ts';
import {
  ConfigurationError,
  type ConfigurationProblem,
} from '../../runtime/configuration/configuration-error.ts';
import { durationToMs, parseDuration } from '../../runtime/configuration/duration.ts';
import { pemText } from '../../runtime/tls.ts';
import { type ConfigurationOf, parseConfigurations } from '../configuration.ts';
import type { ConfiguredEmitter } from '../emitter.ts';

export const LOGPLEX_VARIABLE = 'AGGREGATOR_LOGPLEX_CONFIGURATION';

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

const duration = z.string().transform((text, context) => {
  try {
    const ms = durationToMs(parseDuration(text));
    if (ms > 0) return ms;
  } catch {
    // Reported below.
  }
  context.addIssue({ code: 'custom', message: 'expected a duration greater than zero, such as "10s"' });
  return z.NEVER;
});

const pem = z
  .string()
  .transform(pemText)
  .refine((text) => text.includes('-----BEGIN '), 'expected PEM text (for a path, add _file to the key)');

const shape = {
  url: url.optional(),
  serve_db_dir: z.string().min(1, 'expected the path of a directory').optional(),
  logplex_url: logplexUrl.optional(),
  text: z.enum(['classic', 'structured']).default('classic'),
  long_text: z.enum(['split', 'truncate']).default('split'),
  host: z.string().min(1).optional(),
  ordered: z.boolean().default(false),
  patience: duration.default(60_000),
  ca: pem.optional(),
  ca_file: z.string().min(1, 'expected the path of a file').optional(),
  insecure: z.boolean().default(false),
  connect_timeout: duration.default(5_000),
  tls_timeout: duration.default(5_000),
  request_timeout: duration.default(10_000),
  idle_timeout: duration.default(30_000),
};

export type LogplexConfiguration = ConfigurationOf<typeof shape>;

export function parseLogplexConfiguration(value: string): readonly ConfiguredEmitter<LogplexConfiguration>[] {
  const configured = parseConfigurations({ variable: LOGPLEX_VARIABLE, type: 'logplex', value, shape });
  const isList = value.trimStart().startsWith('[');
  const problems = configured.flatMap(({ configuration }, index) =>
    contradictions(configuration, isList ? `${LOGPLEX_VARIABLE}[${index}]` : LOGPLEX_VARIABLE),
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
