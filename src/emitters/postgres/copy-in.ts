import type { Duplex } from 'node:stream';
import type { Connection, Submittable } from 'pg';

/** Sends what it is given to the server; resolves when there is room for more. Rejects when nobody listens any more. */
export type CopyWrite = (frames: Uint8Array) => Promise<void>;

const COPY_DONE = Buffer.of(0x63, 0, 0, 0, 4);
/** So many frames may be on their way to the system: one is written while the next is made. */
const MAX_WAITING_FRAMES = 3;
/** With an empty message. */
const COPY_FAIL = Buffer.of(0x66, 0, 0, 0, 5, 0);

/**
 * A `COPY ... FROM STDIN` as the driver's query: asks, and when the server is ready lets `produce` write. What is written
 * are whole CopyData messages, so that nothing is copied or framed a second time.
 *
 * The server may end it at any moment with an error; what is still on its way then is dropped by the server itself
 * (PostgreSQL's protocol, "COPY Operations"), and the next write rejects.
 */
export class CopyIn implements Submittable {
  /** How many rows the server took; rejects with its error, with that of `produce`, or with that of the connection. */
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
    // Whoever waits for it hears of it; the driver alone does not.
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
      await this.#produce((frames) => this.#write(stream, frames));
      if (!this.#isFailed) stream.write(COPY_DONE);
    } catch (error) {
      if (this.#isFailed) return;
      this.#reject(error);
      if (stream.writable) stream.write(COPY_FAIL);
    }
  }

  async #write(stream: Duplex, frames: Uint8Array): Promise<void> {
    this.#waitingFrames++;
    stream.write(frames, () => {
      this.#waitingFrames--;
      this.#wake();
    });
    while (this.#waitingFrames >= MAX_WAITING_FRAMES && !this.#isFailed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isFailed) throw new Error('the COPY has failed');
  }
}
