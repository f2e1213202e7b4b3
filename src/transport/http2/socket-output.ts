import type { Socket } from 'node:net';
import type { Http2Output } from '../../protocols/http2/http2-output.ts';

/** Below this size, one copy costs less than several parts of a write. */
const COPY_BYTES = 4 * 1024;

/** Writes to a socket; several parts with one `writev`. */
export class SocketOutput implements Http2Output {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  write(parts: readonly Uint8Array[], onWritten: () => void): void {
    if (!this.#socket.writable) return;
    const report = (error?: Error | null) => {
      if (error == null) onWritten();
    };
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    if (parts.length > 1 && bytes <= COPY_BYTES) this.#socket.write(Buffer.concat(parts, bytes), report);
    else this.#writeAll(parts, report);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #writeAll(parts: readonly Uint8Array[], report: (error?: Error | null) => void): void {
    this.#socket.cork();
    for (const [at, part] of parts.entries()) {
      if (at === parts.length - 1) this.#socket.write(part, report);
      else this.#socket.write(part);
    }
    this.#socket.uncork();
  }
}
