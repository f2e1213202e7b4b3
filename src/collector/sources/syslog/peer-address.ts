import { type BlockList, isIPv6 } from 'node:net';

/** `::ffff:10.0.0.1` is the address of an IPv4 peer at a socket for both versions. */
export function peerAddress(address: string | undefined): string | undefined {
  return address?.startsWith(MAPPED) === true ? address.slice(MAPPED.length) : address;
}

export function contains(networks: BlockList, address: string): boolean {
  return networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

const MAPPED = '::ffff:';
