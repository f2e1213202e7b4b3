import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/**
 * Returns a socket that reads a connection of a server with `pauseOnConnect` into one buffer for all connections of this
 * thread. Otherwise Node allocates 64 KiB for each read, which V8 counts as growth of the heap: a fast sender makes it
 * collect the whole heap again and again.
 *
 * The chunk of a `data` event is valid only until its handler returns. The handler must not wait, and copies what it keeps.
 *
 * The returned socket replaces the accepted one, which counts as open in the server until the returned one is closed. A
 * socket without a handle (it is closed already, or of TLS) is returned as it is, with chunks of its own.
 */
export function withReusedReadBuffer(accepted: Socket): Socket {
  const handle = handleOf(accepted);
  if (handle === undefined) return accepted.resume();
  const options: ReadingOptions = {
    ...{ handle, allowHalfOpen: accepted.allowHalfOpen },
    onread: {
      buffer: SHARED_BUFFER,
      callback: (length, buffer) => {
        socket.emit('data', buffer.subarray(0, length));
        return true;
      },
    },
  };
  const socket = new Socket(options);
  // Its handle is closed, so this only ends the count of the server.
  socket.once('close', () => accepted.destroy());
  accepted.on('error', () => {});
  return socket;
}

/** For `createServer`: nothing is read before `withReusedReadBuffer`. */
export const REUSED_READ_BUFFER = { pauseOnConnect: true } as const;

/** Node reads at most this much at once, too. */
const SHARED_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/** The options that the types of Node do not have. */
interface ReadingOptions extends SocketConstructorOpts {
  readonly handle: object;
  readonly onread: OnReadOpts;
}

/** The handle is no documented property, but is the same in Node 20 to 24. */
function handleOf(socket: Socket): object | undefined {
  const handle: unknown = (socket as { readonly _handle?: unknown })._handle;
  const isReadable = typeof handle === 'object' && handle !== null && 'useUserBuffer' in handle;
  return isReadable ? handle : undefined;
}
