import { createHash } from 'node:crypto';

/**
 * Orders addresses by a hash of the collector and the address (rendezvous hashing). Each aggregator is the first choice
 * of an equal share of the collectors, and if it fails, its collectors spread over all others. A new aggregator becomes
 * the first choice of its share only; no collector moves between the old ones.
 */
export function spreadAddresses(addresses: readonly string[], collectorId: Uint8Array): readonly string[] {
  return addresses
    .map((address) => ({ address, weight: weightOf(address, collectorId) }))
    .sort((a, b) => Buffer.compare(b.weight, a.weight))
    .map(({ address }) => address);
}

function weightOf(address: string, collectorId: Uint8Array): Buffer {
  return createHash('sha256').update(collectorId).update(address).digest();
}
