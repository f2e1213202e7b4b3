import type { Clock } from '../runtime/clock.ts';
import type { CheckedOutlet } from '../transport/checked-outlet.ts';
import { CheckedPackets } from '../transport/checked-packets.ts';
import { CheckedStream } from '../transport/checked-stream.ts';
import type { TransportFailure } from '../transport/transport.ts';
import { transportTo } from '../transport/transport-to.ts';
import { readClientTls } from './client-tls.ts';
import type { ReceiverConfiguration } from './try-receiver.ts';

export interface OutletConfiguration extends ReceiverConfiguration {
  readonly burst?: number | undefined;
  readonly burst_pause?: number | undefined;
}

/**
 * Creates the outlet without connecting. Throws if a certificate file cannot be read or a path is invalid.
 */
export async function openOutlet(
  configuration: OutletConfiguration,
  clock: Clock,
  onTooLate: (failure: TransportFailure) => void,
): Promise<CheckedOutlet> {
  const { address, timeout, burst, burst_pause } = configuration;
  const tls = address.kind === 'tls' ? await readClientTls(configuration) : undefined;
  const to = transportTo(address, { clock, tls, timeoutMs: timeout });
  return to.kind === 'stream'
    ? new CheckedStream(to.transport, { clock, onTooLate })
    : new CheckedPackets(to.transport, { clock, pacing: { burst, pauseMs: burst_pause }, onTooLate });
}
