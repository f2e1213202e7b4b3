import { Socket } from 'node:net';
import { onRead } from './shared-read-buffer.ts';

/**
 * Reads an accepted socket, whose server has `pauseOnConnect`, into the shared buffer. Node has the option `onread` only for
 * outgoing connections, so another socket gets the handle; it is returned, and the given one must not be used any more. If
 * the handle is not there (TLS, a later Node), the given socket is read with its events, and returned.
 */
export function readAccepted(accepted: Socket, receive: (chunk: Buffer) => void): Socket {
  const inner = accepted as unknown as InnerSocket;
  const handle = inner._handle;
  if (handle == null || typeof handle.useUserBuffer !== 'function') {
    accepted.on('data', receive);
    return accepted;
  }
  inner._handle = null;
  const options = { handle, onread: onRead(receive), allowHalfOpen: inner.allowHalfOpen === true };
  const socket = new Socket(options as ConstructorParameters<typeof Socket>[0]);
  moveServer(inner, socket as unknown as InnerSocket);
  return socket;
}

/** The server counts its connections by this field of their sockets, and waits for them when it closes. */
function moveServer(from: InnerSocket, to: InnerSocket): void {
  to.server = from.server;
  to._server = from._server;
  from._server = null;
}

interface InnerSocket {
  _handle?: { readonly useUserBuffer?: unknown } | null;
  _server?: unknown;
  server?: unknown;
  readonly allowHalfOpen?: unknown;
}
