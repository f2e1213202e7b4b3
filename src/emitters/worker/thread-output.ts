import { Writable } from 'node:stream';
import type { FromThread, PrintError } from './messages.ts';

/**
 * Standard output for an emitter in a thread. The main thread writes the bytes; a write completes when the
 * main thread has written them. (The thread's own `process.stdout` completes when the main thread receives
 * the message.)
 */
export class ThreadOutput extends Writable {
  readonly isTTY: boolean;
  readonly #send: (message: FromThread, transfer: ArrayBuffer[]) => void;
  #done: ((error?: Error | null) => void) | undefined;

  constructor(send: (message: FromThread, transfer: ArrayBuffer[]) => void, isTTY: boolean) {
    super();
    this.#send = send;
    this.isTTY = isTTY;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#done = done;
    const bytes = new Uint8Array(chunk);
    this.#send({ kind: 'print', bytes }, [bytes.buffer]);
  }

  printed(error: PrintError | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(error && Object.assign(new Error(error.message), { code: error.code }));
  }
}
