import { constants, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

/** A path of a Unix socket that is short enough to bind or connect; valid until it is closed. */
export interface SocketPath {
  readonly path: string;
  close(): Promise<void>;
}

/** The length of `sun_path` on all supported systems (Linux 107, macOS 103). */
const LONGEST_PATH_BYTES = 103;

/**
 * Uses the open directory for a longer path: `/proc/self/fd/17/control.sock`. Rejects without the directory.
 */
export async function openSocketPath(directory: string, name: string): Promise<SocketPath> {
  const path = join(directory, name);
  if (Buffer.byteLength(path) <= LONGEST_PATH_BYTES) return { path, close: async () => {} };
  const handle: FileHandle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${handle.fd}/${name}`, close: () => handle.close() };
}
