import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { AddressInfo, ListenOptions, Server } from 'node:net';
import { parseAddress } from '../../../runtime/configuration/address.ts';

/**
 * Listens at each address of a name, all with the same port: `localhost` is an address of IPv4 and one of IPv6. An address
 * that cannot be used is left out while another one can be. Returns the port; 0 for a Unix socket.
 *
 * `address`: `host:port` or `unix:path`.
 */
export async function listenAt(address: string, createServer: () => Server): Promise<ListeningServers> {
  if (address.startsWith('unix:')) {
    const server = await listening(createServer(), { path: address.slice('unix:'.length) });
    return { port: 0, servers: [server] };
  }
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`the address "${address}" is not host:port`);
  const servers: Server[] = [];
  let port = parsed.port;
  let failure: unknown;
  for (const { address: host } of await lookup(parsed.host, { all: true })) {
    try {
      const server = await listening(createServer(), { host, port });
      servers.push(server);
      port = (server.address() as AddressInfo).port;
    } catch (error) {
      failure ??= error;
    }
  }
  if (servers.length === 0) throw failure ?? new Error(`the name "${parsed.host}" has no address`);
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
