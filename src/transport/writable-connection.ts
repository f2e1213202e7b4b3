import type { Writable } from 'node:stream';
import type { Clock } from '../runtime/clock.ts';
import type { Connection, ConnectionEnd, TransportFailure } from './transport.ts';
import { failureOf, timedOut } from './transport-failure.ts';

/**
 * A connection over a writable stream of Node: a socket, a file, a pipe. It is destroyed after a write
 * timeout.
 */
export class WritableConnection implements Connection {
  readonly whenEnded: Promise<ConnectionEnd>;
  readonly #stream: Writable;
  readonly #options: WritableConnectionOptions;
  #ended: ConnectionEnd | undefined;
  #settleWrite: ((failure: TransportFailure | undefined) => void) | undefined;
  #resolveEnded: (end: ConnectionEnd) => void = () => {};

  constructor(stream: Writable, options: WritableConnectionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.whenEnded = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    stream.on('error', this.#onError);
    stream.on('end', this.#onClosed);
    stream.on('close', this.#onClosed);
    if (stream.destroyed || stream.writableEnded) this.#onClosed();
  }

  get ended(): ConnectionEnd | undefined {
    return this.#ended;
  }

  write(bytes: Uint8Array): Promise<TransportFailure | undefined> {
    if (this.#ended !== undefined) return Promise.resolve(this.#ended);
    const { clock, writeTimeoutMs } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.after(writeTimeoutMs, () => {
        this.#end({ ...timedOut('the receiver accepted nothing', writeTimeoutMs), orderly: false });
      });
      // Either can occur first: the end may come without the callback (a destroyed stdout), and vice versa.
      const settle = (failure: TransportFailure | undefined) => {
        cancel();
        this.#settleWrite = undefined;
        resolve(failure);
      };
      this.#settleWrite = settle;
      this.#stream.write(bytes, (error) => {
        if (error) this.#onError(error);
        else settle(undefined);
      });
    });
  }

  close(deadline: AbortSignal): Promise<void> {
    if (this.#ended !== undefined || deadline.aborted || this.#options.keepOpen) {
      this.destroy();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = () => {
        deadline.removeEventListener('abort', done);
        this.destroy();
        resolve();
      };
      deadline.addEventListener('abort', done, { once: true });
      this.#stream.once('close', done);
      this.#stream.end(done);
    });
  }

  destroy(): void {
    this.#end({ reason: 'closed locally', orderly: true });
  }

  #end(end: ConnectionEnd): void {
    if (this.#ended !== undefined) return;
    this.#ended = end;
    this.#stream.off('end', this.#onClosed);
    this.#stream.off('close', this.#onClosed);
    if (this.#options.keepOpen) {
      this.#stream.off('error', this.#onError);
    } else {
      // Keeps the error listener: an error may still follow.
      this.#stream.destroy();
    }
    this.#settleWrite?.(end);
    this.#resolveEnded(end);
  }

  readonly #onError = (error: Error): void => {
    this.#end({ ...failureOf(error), orderly: false });
  };

  readonly #onClosed = (): void => {
    this.#end({ reason: 'the receiver closed the connection', orderly: true });
  };
}

export interface WritableConnectionOptions {
  readonly clock: Clock;
  readonly writeTimeoutMs: number;
  /** The stream must not be ended, such as stdout. */
  readonly keepOpen?: boolean;
}

export const DEFAULT_WRITE_TIMEOUT_MS = 10_000;
