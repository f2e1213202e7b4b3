import type { Socket } from 'node:net';
import { errorMessage } from '../../runtime/error-message.ts';

/** Reports the end of a socket once, with its reason. */
export function watchSocket(socket: Socket, ended: (reason: string) => void): void {
  let failure: string | undefined;
  socket.on('error', (error) => {
    failure ??= socketFailure(error);
  });
  socket.once('end', () => {
    failure ??= PEER_CLOSED;
    // The peer may have closed only its half.
    socket.destroy();
  });
  socket.once('close', () => ended(failure ?? 'the connection was closed'));
}

/** The message of Node; if several addresses of a name were tried, that of the first. */
export function socketFailure(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return socketFailure(error.errors[0]);
  return errorMessage(error);
}

const PEER_CLOSED = 'the peer closed the connection';
