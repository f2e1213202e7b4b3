/**
 * One buffer for the reads of all sockets of this thread. A socket reads into it and passes the bytes on in the same call, so
 * no two sockets use it at the same time. Without it, each read of a socket allocates 64 KiB, which V8 counts as garbage
 * of the heap.
 */
export function sharedReadBuffer(): Buffer {
  buffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
  return buffer;
}

let buffer: Buffer | undefined;

const READ_BYTES = 256 * 1024;

/** The option `onread` of a socket. The chunk is valid only during the call. */
export function onRead(receive: (chunk: Buffer) => void): {
  readonly buffer: Buffer;
  readonly callback: (bytes: number, buffer: Uint8Array) => boolean;
} {
  const shared = sharedReadBuffer();
  return {
    buffer: shared,
    callback: (bytes) => {
      receive(shared.subarray(0, bytes));
      return true;
    },
  };
}
