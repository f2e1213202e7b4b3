import type { ConnectionFailure } from '../runtime/connection-trial.ts';
import type { StreamTransport, TransportFailure } from './transport.ts';

/** Opens a connection and closes it without a byte of content. Returns undefined when that works. */
export async function tryStream(
  transport: StreamTransport,
  signal: AbortSignal,
): Promise<ConnectionFailure | undefined> {
  const opening = await transport.open({ signal });
  if (opening.kind === 'failed') return withRemedy(opening.failure);
  await opening.connection.close(signal);
  return undefined;
}

export function withRemedy({ reason, code }: TransportFailure): ConnectionFailure {
  const remedy = REMEDIES.get(code ?? '');
  return remedy === undefined ? { reason } : { reason, remedy };
}

const ADDRESS = 'Start the receiver, or correct the address';
const NAME = 'Correct the host name, or the name server of this machine';
const NETWORK = 'Correct the address, or let the connection through the firewalls';
const CA = 'Name the authority of the certificate in "ca_file"';

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', ADDRESS],
  ['ECONNRESET', 'Check that the receiver speaks this protocol, with or without TLS'],
  ['ENOENT', 'Start the receiver, or correct the path'],
  ['EACCES', 'Give this user access to the socket'],
  ['ENOTFOUND', NAME],
  ['EAI_AGAIN', NAME],
  ['ETIMEDOUT', NETWORK],
  ['EHOSTUNREACH', NETWORK],
  ['ENETUNREACH', NETWORK],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', CA],
  ['SELF_SIGNED_CERT_IN_CHAIN', CA],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', CA],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', CA],
  ['CERT_HAS_EXPIRED', 'Renew the certificate of the receiver'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'Use a host name that is in the certificate of the receiver'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'Use the address without TLS, or enable TLS at the receiver'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'Use the address without TLS, or enable TLS at the receiver'],
]);
