import type { TLSSocket } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from './http2-servers.ts';

/**
 * Tells of clients that never come to a call: without a certificate, with one of another authority, in plain text. To be
 * called once after the server has been bound.
 */
export function onFailedHandshake(server: Server, tell: (peer: string, reason: string) => void): void {
  for (const http2Server of http2ServersOf(server)) {
    http2Server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
      const { remoteAddress, remotePort } = socket;
      tell(remoteAddress === undefined ? 'gone' : `${remoteAddress}:${remotePort}`, reasonOf(error));
    });
  }
}

/** OpenSSL says `00A1B2:error:0A0000C7:SSL routines:...:peer did not return a certificate:../deps/...:`. */
function reasonOf(error: NodeJS.ErrnoException): string {
  const { reason } = error as { reason?: unknown };
  return typeof reason === 'string' ? reason : (error.code ?? error.message);
}
