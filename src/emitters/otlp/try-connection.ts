import type { Clock } from '../../runtime/clock.ts';
import type { ConnectionTrial } from '../../runtime/connection-trial.ts';
import { SocketTransport } from '../../transport/socket-transport.ts';
import { failureOf } from '../../transport/transport-failure.ts';
import { tryStream, withRemedy } from '../../transport/try-transport.ts';
import { readClientTls } from '../client-tls.ts';
import type { OtlpConfiguration } from './configuration.ts';

/** Connects without a request. */
export async function tryConnection(
  configuration: OtlpConfiguration,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConnectionTrial> {
  const { host, port, hasTls } = configuration.endpoint;
  const target = `OTLP ${host}:${port}`;
  try {
    const options = { clock, connectTimeoutMs: configuration.timeout };
    const transport = hasTls
      ? SocketTransport.tls(host, port, await readClientTls(configuration), options)
      : SocketTransport.tcp(host, port, options);
    const failure = await tryStream(transport, signal);
    return failure === undefined ? { target } : { target, failure };
  } catch (error) {
    return { target, failure: withRemedy(failureOf(error)) };
  }
}
