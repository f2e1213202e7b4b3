import { createHash } from 'node:crypto';

/**
 * The hash of the 64 bytes before a position (fewer, when the stream is shorter): evidence that two parties
 * have the same bytes. The first 8 bytes of their SHA-256, as 16 hexadecimal digits. The check of position 0
 * is that of no bytes.
 */
export type Check = string & { readonly __brand: 'Check' };

export const CHECK_WINDOW_BYTES = 64;
export const CHECK_BYTES = 8;

/** The check of the position directly after `before`, of which only the last 64 bytes are used. */
export function checkOf(before: Uint8Array): Check {
  const window = before.length > CHECK_WINDOW_BYTES ? before.subarray(-CHECK_WINDOW_BYTES) : before;
  return createHash('sha256')
    .update(window)
    .digest('hex')
    .slice(0, CHECK_BYTES * 2) as Check;
}

/** The check in these bytes; undefined when there are not exactly 8. */
export function checkFromBytes(bytes: Uint8Array): Check | undefined {
  if (bytes.length !== CHECK_BYTES) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex') as Check;
}

export function checkToBytes(check: Check): Buffer {
  return Buffer.from(check, 'hex');
}
