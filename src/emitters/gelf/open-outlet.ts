import { readFile } from 'node:fs/promises';
import type { Clock } from '../../runtime/clock.ts';
import type { CheckedOutlet } from '../../transport/checked-outlet.ts';
import { CheckedPackets } from '../../transport/checked-packets.ts';
import { CheckedStream } from '../../transport/checked-stream.ts';
import type { TlsClientOptions } from '../../transport/socket-transport.ts';
import type { TransportFailure } from '../../transport/transport.ts';
import { transportTo } from '../../transport/transport-to.ts';
import type { GelfConfiguration } from './configuration.ts';

/**
 * Creates the outlet without connecting. Throws if a certificate file cannot be read or a path is invalid.
 */
export async function openOutlet(
  configuration: GelfConfiguration,
  clock: Clock,
  onTooLate: (failure: TransportFailure) => void,
): Promise<CheckedOutlet> {
  const { address, timeout, burst, burst_pause } = configuration;
  const tls = address.kind === 'tls' ? await tlsOptions(configuration) : undefined;
  const to = transportTo(address, { clock, tls, timeoutMs: timeout });
  return to.kind === 'stream'
    ? new CheckedStream(to.transport, { clock, onTooLate })
    : new CheckedPackets(to.transport, { clock, pacing: { burst, pauseMs: burst_pause }, onTooLate });
}

/** Reads the files of the configuration. */
export async function tlsOptions(configuration: GelfConfiguration): Promise<TlsClientOptions> {
  const { ca, ca_file, certificate, certificate_file, key, key_file, server_name } = configuration;
  const from = (path: string | undefined) => (path === undefined ? undefined : readFile(path, 'utf8'));
  return {
    ca: ca ?? (await from(ca_file)),
    certificate: certificate ?? (await from(certificate_file)),
    key: key ?? (await from(key_file)),
    serverName: server_name,
  };
}
