/** Bytes from a peer (or a disk) that break the wire's rules; `message` says which. Never holds the bytes. */
export class WireError extends Error {
  override readonly name = 'WireError';
}
