import type { Clock } from '../../runtime/clock.ts';
import { SocketTransport } from '../socket-transport.ts';
import type { TransportFailure } from '../transport.ts';
import type { BrokerAddress } from './broker-address.ts';
import type { BrokerLogin } from './broker-connection.ts';
import type { StreamSession } from './stream-session.ts';

export interface StreamSessionPlan {
  readonly address: BrokerAddress;
  readonly login: BrokerLogin;
  readonly clock: Clock;
  /** A broker with an alarm reads nothing: a write may take as long as a confirm. */
  readonly writeTimeoutMs: number;
}

/** Connects a new session to a broker and logs in. Never rejects. */
export async function openStreamSession(
  session: StreamSession,
  plan: StreamSessionPlan,
  signal: AbortSignal,
): Promise<TransportFailure | undefined> {
  const { address, login } = plan;
  const opening = await transportTo(plan).open({ onData: session.onData, signal });
  if (opening.kind === 'failed') return opening.failure;
  const abort = () => session.end({ reason: 'aborted' });
  signal.addEventListener('abort', abort, { once: true });
  const failure = await session.open(opening.connection, {
    username: login.username ?? address.username ?? 'guest',
    password: login.password ?? address.password ?? 'guest',
    vhost: address.vhost,
    purpose: login.purpose,
  });
  signal.removeEventListener('abort', abort);
  return failure;
}

function transportTo({ address, login, clock, writeTimeoutMs }: StreamSessionPlan): SocketTransport {
  const { host, port, hasTls } = address;
  const options = { clock, connectTimeoutMs: login.timeoutMs, writeTimeoutMs };
  return hasTls
    ? SocketTransport.tls(host, port, login.tls ?? {}, options)
    : SocketTransport.tcp(host, port, options);
}
