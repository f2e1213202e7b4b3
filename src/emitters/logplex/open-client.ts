import { readFile } from 'node:fs/promises';
import type { Clock } from '../../runtime/clock.ts';
import type { LogplexConfiguration } from './configuration.ts';
import { LogplexClient } from './logplex-client.ts';

/** Does not connect. Throws if the CA file cannot be read. */
export async function openClient(configuration: LogplexConfiguration, clock: Clock): Promise<LogplexClient> {
  const { ca, ca_file, insecure } = configuration;
  const { connect_timeout, tls_timeout, request_timeout, idle_timeout } = configuration;
  return new LogplexClient({
    clock,
    ca: ca ?? (ca_file === undefined ? undefined : await readFile(ca_file, 'utf8')),
    insecure,
    timeouts: {
      connectMs: connect_timeout,
      tlsMs: tls_timeout,
      requestMs: request_timeout,
      idleMs: idle_timeout,
    },
  });
}
