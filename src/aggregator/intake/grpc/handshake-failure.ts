import type { TLSSocket } from 'node:tls';

/**
 * Why a client failed the TLS handshake: without a certificate, with one of another authority, in plain text.
 *
 * Node.js destroys the socket of a client whose certificate it does not accept, and reports only ECONNRESET. The reason is on
 * the socket. OpenSSL reports `00A1B2:error:0A0000C7:SSL routines:...:peer did not return a certificate:../deps/...:`.
 */
export function handshakeFailure(
  error: NodeJS.ErrnoException,
  { authorizationError }: Partial<Pick<TLSSocket, 'authorizationError'>>,
): string {
  // The type of Node.js is Error; the value is a code.
  const code: unknown = authorizationError;
  if (typeof code === 'string') return `certificate not accepted: ${code}`;
  const { reason } = error as { reason?: unknown };
  return typeof reason === 'string' ? reason : (error.code ?? error.message);
}
