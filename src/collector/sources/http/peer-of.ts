import { isOfConnection } from '../../../formats/connection-attributes.ts';
import { PushFault } from '../../../protocols/http-push/push-fault.ts';
import type { Resource } from '../../../records/resource.ts';

/** A batch has a limit for the attributes of its peers. */
const MAX_BYTES = 8 * 1024;
const MAX_ATTRIBUTES = 32;

/** Attributes that only this program sets. Formats read some of them. */
const OWN_PREFIX = 'megacollector.';

/**
 * The attributes of a client, and others. Empty values are left out, and so are those that a client must not choose: its
 * address and the other attributes of its connection, and attributes of this program. Throws a PushFault when they are too many.
 */
export function peerWith(
  peer: Resource,
  attributes: Iterable<readonly [name: string, value: string | undefined | null]>,
): Resource {
  const merged = new Map(peer);
  let bytes = 0;
  for (const [name, value] of attributes) {
    if (name === '' || value === undefined || value === null || value === '') continue;
    if (isOfConnection(name) || name.startsWith(OWN_PREFIX)) continue;
    merged.set(name, value);
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > MAX_BYTES || merged.size > MAX_ATTRIBUTES)
    throw new PushFault('The attributes of a request must be at most 32, and at most 8192 bytes.');
  return merged;
}
