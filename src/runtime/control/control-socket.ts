import { connect, type Socket } from 'node:net';
import { openSocketPath, type SocketPath } from './socket-path.ts';

export const CONTROL_SOCKET_NAME = 'control.sock';

/**
 * Returns a path of a directory's control socket, valid until it is closed. Rejects without the directory.
 */
export function openControlSocketPath(directory: string): Promise<SocketPath> {
  return openSocketPath(directory, CONTROL_SOCKET_NAME);
}

/**
 * Connects to the process that owns a directory. undefined: nothing is listening. Rejects with the system's
 * error when the socket may not be used.
 */
export async function connectControlSocket(directory: string): Promise<Socket | undefined> {
  const socketPath = await openControlSocketPath(directory).catch(undefinedIfAbsent);
  if (socketPath === undefined) return undefined;
  try {
    return await connected(socketPath.path).catch(undefinedIfAbsent);
  } finally {
    await socketPath.close();
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function undefinedIfAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
