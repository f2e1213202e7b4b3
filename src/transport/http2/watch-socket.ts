import type { Socket } from 'node:net';
import { errorMessage } from '../../runtime/error-message.ts';

/** Reports the end of a socket once, with its reason. */
export function watchSocket(socket: Socket, ended: (reason: string) => void): void {
  let failure: string | undefined;
  socket.on('error', (error) => {
    failure = errorMessage(error);
  });
  socket.once('end', () => {
    failure ??= 'the peer closed the connection';
    // The peer may have closed only its half.
    socket.destroy();
  });
  socket.once('close', () => ended(failure ?? 'the connection was closed'));
}
