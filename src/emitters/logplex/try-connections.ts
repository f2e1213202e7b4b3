import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseServes } from '../../protocols/febe/parse-serves.ts';
import {
  isFault,
  type LogplexTarget,
  parseLogplexUrl,
  tokenTarget,
} from '../../protocols/logplex/logplex-target.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { SocketTransport } from '../../transport/socket-transport.ts';
import { failureOf } from '../../transport/transport-failure.ts';
import { tryStream, withRemedy } from '../../transport/try-transport.ts';
import type { LogplexConfiguration } from './configuration.ts';

/** More servers of one serve database are not tried. */
const MAX_SERVERS = 100;

interface TrialContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Connects to each server once, without a request: a token is only known to be wrong by its answer to records. */
export async function tryConnections(
  configuration: LogplexConfiguration,
  context: TrialContext,
): Promise<readonly ConnectionTrial[]> {
  const { url, serve_db_dir: directory } = configuration;
  if (url !== undefined) return [await tryTarget(url, configuration, context)];
  if (directory === undefined) return [];
  const target = `the serve database ${join(directory, 'serves.loaded')}`;
  try {
    const found = await targetsIn(directory, configuration.logplex_url);
    if (typeof found === 'string') {
      const remedy = 'Correct the records, and submit them as serves.new';
      return [{ target, failure: { reason: found, remedy } }];
    }
    const trials = await Promise.all(found.map((each) => tryTarget(each, configuration, context)));
    return [{ target }, ...trials];
  } catch (error) {
    const { reason } = failureOf(error);
    const remedy = 'Start the collector with this directory, or correct "serve_db_dir"';
    return [{ target, failure: { reason, remedy } }];
  }
}

/** One target of each server; or why there is none. */
async function targetsIn(
  directory: string,
  logplexUrl: string | undefined,
): Promise<readonly LogplexTarget[] | string> {
  const text = await readFile(join(directory, 'serves.loaded'), 'utf8');
  const parsed = parseServes(text, { tokensAllowed: logplexUrl !== undefined });
  if (parsed.kind !== 'records') return parsed.reason;
  const targets = new Map<string, LogplexTarget>();
  for (const { credential } of parsed.records) {
    const target =
      credential.kind === 'url'
        ? parseLogplexUrl(credential.url.href)
        : tokenTarget(credential.token, logplexUrl ?? '');
    if (isFault(target)) return target.fault;
    targets.set(target.origin, target);
  }
  return [...targets.values()].slice(0, MAX_SERVERS);
}

async function tryTarget(
  { protocol, host, port, origin }: LogplexTarget,
  { ca, ca_file, insecure, connect_timeout, tls_timeout }: LogplexConfiguration,
  { clock, signal }: TrialContext,
): Promise<ConnectionTrial> {
  const target = `logplex ${origin}`;
  try {
    const options = { clock, connectTimeoutMs: connect_timeout + tls_timeout };
    const authorities = ca ?? (ca_file === undefined ? undefined : await readFile(ca_file, 'utf8'));
    const transport =
      protocol === 'http:'
        ? SocketTransport.tcp(host, port, options)
        : SocketTransport.tls(host, port, { ca: authorities, insecure }, options);
    const failure = await tryStream(transport, signal);
    return failure === undefined ? { target } : { target, failure };
  } catch (error) {
    return { target, failure: withRemedy(failureOf(error)) };
  }
}
