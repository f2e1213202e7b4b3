import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';

/**
 * Standard output that never blocks the event loop.
 *
 * Node writes to a pipe on `process.stdout` synchronously: if the reader stops reading, the whole process
 * including its health endpoint would block. A socket over the same descriptor waits without blocking. Files
 * and terminals do not need this.
 */
export function standardOutput(stdout: NodeJS.WriteStream & { readonly fd: number }): NodeJS.WritableStream {
  const stats = fstatSync(stdout.fd);
  if (!stats.isFIFO() && !stats.isSocket()) return stdout;
  return new Socket({ fd: stdout.fd, readable: false, writable: true });
}
