import { openSocketPath, type SocketPath } from './socket-path.ts';

const SOCKET_NAME = 'control.sock';

/**
 * Returns a path of a directory's control socket, valid until it is closed. Rejects without the directory.
 */
export function openControlSocketPath(directory: string): Promise<SocketPath> {
  return openSocketPath(directory, SOCKET_NAME);
}
