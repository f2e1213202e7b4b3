/**
 * Bytes of a peer (or a disk) that break the rules of the wire; `message` names the rule. Never contains the
 * bytes.
 */
export class WireError extends Error {
  override readonly name = 'WireError';
}
