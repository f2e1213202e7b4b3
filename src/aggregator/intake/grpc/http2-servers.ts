import type { Http2SecureServer } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/** The HTTP/2 servers of a bound gRPC server. grpc-js has no public access to them. */
export function http2ServersOf(server: Server): Iterable<Pick<Http2SecureServer, 'on'>> {
  const { http2Servers } = server as unknown as {
    http2Servers?: ReadonlyMap<Pick<Http2SecureServer, 'on'>, unknown>;
  };
  if (http2Servers === undefined || http2Servers.size === 0) {
    throw new Error('Cannot find the HTTP/2 servers of this version of @grpc/grpc-js');
  }
  return http2Servers.keys();
}
