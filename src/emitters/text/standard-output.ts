import { fstatSync } from 'node:fs';
import { Socket } from 'node:net';

/**
 * Standard output, such that writing to it never blocks the event loop.
 *
 * Node writes to a pipe on `process.stdout` synchronously: with a reader that does not read, the whole process would
 * stand still, its health endpoint and all. A socket over the same descriptor waits without blocking. Files never wait,
 * and a terminal is read by a person.
 */
export function standardOutput(stdout: NodeJS.WriteStream & { readonly fd: number }): NodeJS.WritableStream {
  const stats = fstatSync(stdout.fd);
  if (!stats.isFIFO() && !stats.isSocket()) return stdout;
  return new Socket({ fd: stdout.fd, readable: false, writable: true });
}
