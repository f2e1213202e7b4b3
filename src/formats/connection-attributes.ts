import type { Attributes, AttributeValue } from '../records/log-record.ts';
import type { Resource } from '../records/resource.ts';
import { RECORD_MARK } from './marker-attributes.ts';

export const PEER_ADDRESS = 'network.peer.address';
export const PEER_PORT = 'network.peer.port';
export const TRANSPORT = 'network.transport';
export const TLS_SUBJECT = 'tls.client.subject';

/** `true`: the client sent the record again after a broken connection, so it may be stored twice. */
export const REPEATED = 'megacollector.repeated';

/** The size of a message of which the beginning was kept. */
export const TRUNCATED_FROM = 'megacollector.truncated_from';

/**
 * Attributes of a peer that a source knows from the connection. A record must not choose them: an attribute of the
 * record with one of these names becomes `megacollector.record.NAME`, also if the connection has no such attribute.
 */
const CONNECTION_ATTRIBUTES: readonly string[] = [
  ...[PEER_ADDRESS, PEER_PORT, TRANSPORT, TLS_SUBJECT],
  ...[REPEATED, TRUNCATED_FROM, RECORD_MARK],
];

const NAMES: ReadonlySet<string> = new Set(CONNECTION_ATTRIBUTES);
const PREFIX = 'megacollector.record.';

/** Whether only a source may set the attribute of a record that came over a connection. */
export function isOfConnection(name: string): boolean {
  return NAMES.has(name);
}

/** Whether the record came over a connection whose client the source knows. */
export function isConnection(peer: Resource): boolean {
  return peer.has(PEER_ADDRESS) || peer.has(TRANSPORT);
}

/** The attributes of a record and of its peer. Those of the record win, except those of the connection. */
export function withPeer(attributes: Attributes, peer: Resource): Map<string, AttributeValue> {
  const merged = new Map<string, AttributeValue>(attributes);
  if (isConnection(peer)) setAside(merged);
  for (const [name, value] of peer) if (!merged.has(name) || NAMES.has(name)) merged.set(name, value);
  return merged;
}

function setAside(attributes: Map<string, AttributeValue>): void {
  for (const name of CONNECTION_ATTRIBUTES) {
    const value = attributes.get(name);
    if (value === undefined) continue;
    attributes.delete(name);
    attributes.set(PREFIX + name, value);
  }
}
