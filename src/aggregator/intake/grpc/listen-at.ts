import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { AddressInfo, ListenOptions, Server } from 'node:net';
import { parseEndpoint } from '../../../runtime/configuration/address.ts';

/**
 * Listens at each address of a name, all with the same port: `localhost` is an address of IPv4 and one of IPv6. An address
 * that cannot be used is left out while another one can be. Returns the port; 0 for a Unix socket.
 *
 * `address`: `host:port` or `unix:path`.
 */
export async function listenAt(address: string, createServer: () => Server): Promise<ListeningServers> {
  const endpoint = parseEndpoint(address);
  if ('socketPath' in endpoint) {
    const server = await listening(createServer(), { path: endpoint.socketPath });
    return { port: 0, servers: [server] };
  }
  const servers: Server[] = [];
  let port = endpoint.port;
  let failure: unknown;
  for (const { address: host } of await lookup(endpoint.host, { all: true })) {
    try {
      const server = await listening(createServer(), { host, port });
      servers.push(server);
      port = (server.address() as AddressInfo).port;
    } catch (error) {
      failure ??= error;
    }
  }
  if (servers.length === 0) throw failure ?? new Error(`the name "${endpoint.host}" has no address`);
  return { port, servers };
}

export interface ListeningServers {
  readonly port: number;
  readonly servers: readonly Server[];
}

async function listening(server: Server, options: ListenOptions): Promise<Server> {
  server.listen(options);
  await once(server, 'listening');
  return server;
}
