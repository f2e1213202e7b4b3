import type { Duplex } from 'node:stream';
import type { Connection, Submittable } from 'pg';

/**
 * A `COPY ... FROM STDIN` as a query of the driver: when the server is ready, `produce` writes complete
 * CopyData messages, so that no bytes are copied or framed twice.
 *
 * The server can end it at any time with an error; it then discards bytes in flight (PostgreSQL's protocol,
 * "COPY Operations"), and the next write rejects.
 */
export class CopyIn implements Submittable {
  /**
   * Resolves to the number of stored rows; rejects with the error of the server, of `produce` or of the
   * connection.
   */
  readonly done: Promise<number>;
  readonly #text: string;
  readonly #produce: (write: CopyWrite) => Promise<void>;
  #resolve: (rows: number) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #connection: Connection | undefined;
  #isFailed = false;
  #waitingFrames = 0;
  #wake: () => void = () => {};
  #rows = 0;

  constructor(text: string, produce: (write: CopyWrite) => Promise<void>) {
    this.#text = text;
    this.#produce = produce;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The caller handles the rejection; this prevents an unhandled one.
    this.done.catch(() => {});
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    connection.query(this.#text);
  }

  handleCopyInResponse(): void {
    void this.#send();
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(message.text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#rows);
  }

  handleError(error: Error): void {
    this.#isFailed = true;
    this.#reject(error);
    this.#wake();
  }

  async #send(): Promise<void> {
    const stream = this.#connection?.stream;
    if (stream === undefined) return;
    try {
      await this.#produce((frames, onSent) => this.#write(stream, frames, onSent));
      if (!this.#isFailed) stream.write(COPY_DONE);
    } catch (error) {
      if (this.#isFailed) return;
      this.#reject(error);
      if (stream.writable) stream.write(COPY_FAIL);
    }
  }

  async #write(stream: Duplex, frames: Uint8Array, onSent?: () => void): Promise<void> {
    this.#waitingFrames++;
    stream.write(frames, () => {
      this.#waitingFrames--;
      onSent?.();
      this.#wake();
    });
    while (this.#waitingFrames >= MAX_WAITING_FRAMES && !this.#isFailed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isFailed) throw new Error('the COPY failed');
  }
}

/**
 * Sends bytes to the server; resolves when more can be written. Rejects after the connection or the COPY
 * ended. `onSent`: is called when the bytes are no longer needed; never, if they cannot be sent.
 */
export type CopyWrite = (frames: Uint8Array, onSent?: () => void) => Promise<void>;

const COPY_DONE = Buffer.of(0x63, 0, 0, 0, 4);
/** Maximum number of frames in flight: one is written while the next is encoded. */
const MAX_WAITING_FRAMES = 3;
/** CopyFail with an empty message. */
const COPY_FAIL = Buffer.of(0x66, 0, 0, 0, 5, 0);
