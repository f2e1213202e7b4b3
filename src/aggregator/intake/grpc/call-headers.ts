import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from './http2-servers.ts';

/** As the hard limit of other gRPC implementations. A collector sends less than 1 KiB. */
export const CALL_HEADERS_BYTES = 16 * 1024;

/**
 * Closes a connection whose call has more header bytes than this. The limit that HTTP/2 settings announce does not hold for
 * a peer that never acknowledges them: such a peer may send 144 KiB of headers with each call, which stay in memory until
 * the next full garbage collection. Endless CONTINUATION frames do not reach this limit: nghttp2 ends a session after
 * eight of them.
 *
 * Called once, after the server is bound.
 */
export function limitCallHeaders(server: Server, onClosed: (peer: string, reason: string) => void): void {
  for (const http2Server of http2ServersOf(server)) {
    http2Server.on('session', (session: ServerHttp2Session) => {
      session.on(
        'stream',
        (_: ServerHttp2Stream, __: IncomingHttpHeaders, ___: number, headers: readonly string[]) => {
          if (session.destroyed || sizeOf(headers) <= CALL_HEADERS_BYTES) return;
          const { remoteAddress = 'local' } = session.socket;
          onClosed(remoteAddress, `the headers of a call exceed ${CALL_HEADERS_BYTES / 1024} KiB`);
          session.destroy();
        },
      );
    });
  }
}

/** Names and values, uncompressed. */
function sizeOf(rawHeaders: readonly string[]): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, 0);
}
