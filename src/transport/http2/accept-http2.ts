import type { Socket } from 'node:net';
import { Http2Connection } from '../../protocols/http2/http2-connection.ts';
import type { Http2ConnectionOptions } from '../../protocols/http2/http2-options.ts';
import { withReusedReadBuffer } from '../../runtime/reused-read-buffer.ts';
import { SocketOutput } from './socket-output.ts';
import { watchSocket } from './watch-socket.ts';

/** Few reads for a large batch. */
const READ_BYTES = 256 * 1024;

/**
 * Runs HTTP/2 on an accepted socket: of a `net.Server` with `pauseOnConnect: true` (its bytes are read into one buffer that
 * all connections share), or of a `tls.Server` after `secureConnection`. Read addresses and certificates from `accepted`
 * before the call: a plain socket gives its handle to another one, which is returned. Each has a limit for the bytes of one
 * turn of the event loop; that of TLS is of Node itself: libuv reads 32 times in a turn, and Node 16 KiB each time.
 */
export function acceptHttp2(
  accepted: Socket,
  options: Omit<Http2ConnectionOptions, 'role' | 'output'>,
): { readonly connection: Http2Connection; readonly socket: Socket } {
  const socket = withReusedReadBuffer(accepted, READ_BYTES);
  socket.setNoDelay(true);
  const connection = new Http2Connection({ ...options, role: 'server', output: new SocketOutput(socket) });
  socket.on('data', (chunk: Buffer) => connection.receive(chunk));
  watchSocket(socket, (reason) => connection.disconnected(reason));
  return { connection, socket };
}
