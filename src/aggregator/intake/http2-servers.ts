import type { Http2SecureServer } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/** What lies below a gRPC server that has been bound. grpc-js keeps it to itself. */
export function http2ServersOf(server: Server): Iterable<Pick<Http2SecureServer, 'on'>> {
  const { http2Servers } = server as unknown as {
    http2Servers?: ReadonlyMap<Pick<Http2SecureServer, 'on'>, unknown>;
  };
  if (http2Servers === undefined || http2Servers.size === 0) {
    throw new Error('this version of @grpc/grpc-js keeps its HTTP/2 servers elsewhere');
  }
  return http2Servers.keys();
}
