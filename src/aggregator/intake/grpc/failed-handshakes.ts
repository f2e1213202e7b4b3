import type { TLSSocket } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from './http2-servers.ts';

/**
 * Reports clients that fail the TLS handshake: without a certificate, with one of another authority, in plain text. Called
 * once, after the server is bound.
 */
export function onFailedHandshake(server: Server, report: (peer: string, reason: string) => void): void {
  for (const http2Server of http2ServersOf(server)) {
    http2Server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      const { remoteAddress, remotePort } = socket;
      report(
        remoteAddress === undefined ? 'disconnected' : `${remoteAddress}:${remotePort}`,
        reasonOf(error, socket),
      );
    });
  }
}

/**
 * Node.js destroys the socket of a client whose certificate it does not accept, and reports only ECONNRESET. The reason is on
 * the socket. OpenSSL reports `00A1B2:error:0A0000C7:SSL routines:...:peer did not return a certificate:../deps/...:`.
 */
function reasonOf(error: NodeJS.ErrnoException, socket: { readonly authorizationError?: unknown }): string {
  const { authorizationError } = socket;
  if (typeof authorizationError === 'string') return `certificate not accepted: ${authorizationError}`;
  const { reason } = error as { reason?: unknown };
  return typeof reason === 'string' ? reason : (error.code ?? error.message);
}
