import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/**
 * One buffer for the reads of all sockets of this thread. A socket reads into it and passes the bytes on in the same call, so
 * no two sockets use it at the same time. Otherwise Node allocates 64 KiB for each read, which V8 counts as growth of the
 * heap: a fast sender makes it collect the whole heap again and again.
 */
let memory: Buffer | undefined;

const LARGEST_READ_BYTES = 256 * 1024;

/** As Node reads at once. */
const READ_BYTES = 64 * 1024;

/**
 * Of one accepted connection in one turn of the event loop. libuv reads a socket 32 times in a turn if it has bytes, so that
 * a few fast senders would delay everything else by seconds.
 */
const BYTES_PER_TURN = 512 * 1024;

/**
 * The option `onread` of an outgoing socket. A chunk is valid only during the call. `receive` returns false to read no more
 * until the socket is resumed.
 */
export function readIntoReusedBuffer(
  receive: (chunk: Buffer) => unknown,
  readBytes: number = LARGEST_READ_BYTES,
): OnReadOpts {
  memory ??= Buffer.allocUnsafeSlow(LARGEST_READ_BYTES);
  const buffer = memory.subarray(0, readBytes);
  return {
    buffer,
    callback: (length) => receive(buffer.subarray(0, length)) !== false,
  };
}

/**
 * Returns a socket that reads a connection of a server with `pauseOnConnect` into the buffer. The chunk of a `data` event is
 * valid only until its handler returns. The handler must not wait, and copies what it keeps.
 *
 * The returned socket replaces the accepted one, which counts as open in the server until the returned one is closed. A
 * socket without a handle (it is closed already, or of TLS) is returned as it is, with chunks of its own.
 */
export function withReusedReadBuffer(accepted: Socket, readBytes: number = READ_BYTES): Socket {
  const handle = handleOf(accepted);
  if (handle === undefined) return accepted.resume();
  const mayContinue = turnBudget(() => {
    if (!socket.isPaused()) socket.resume();
  });
  const options: ReadingOptions = {
    ...{ handle, allowHalfOpen: accepted.allowHalfOpen },
    onread: readIntoReusedBuffer((chunk) => {
      socket.emit('data', chunk);
      return mayContinue(chunk.length);
    }, readBytes),
  };
  const socket = new Socket(options);
  // Its handle is closed, so this only ends the count of the server.
  socket.once('close', () => accepted.destroy());
  accepted.on('error', () => {});
  return socket;
}

/** Counts the bytes of a turn. False: no more of them in this turn; `resume` is called in the next one. */
function turnBudget(resume: () => void): (bytes: number) => boolean {
  let readBytes = 0;
  return (bytes) => {
    const isFirst = readBytes === 0;
    const hadRoom = readBytes < BYTES_PER_TURN;
    readBytes += bytes;
    const hasRoom = readBytes < BYTES_PER_TURN;
    if (isFirst || (hadRoom && !hasRoom)) {
      setImmediate(() => {
        readBytes = 0;
        if (!hasRoom) resume();
      });
    }
    return hasRoom;
  };
}

/** For `createServer`: nothing is read before `withReusedReadBuffer`. */
export const REUSED_READ_BUFFER = { pauseOnConnect: true } as const;

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
