import { Writable } from 'node:stream';
import type { FromThread, PrintError } from './messages.ts';

/**
 * Standard output as an emitter in a thread sees it: written by the main thread, and done only when that has done it.
 * (A thread's own `process.stdout` is done as soon as the main thread has heard of it.)
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
