import type { Writable } from 'node:stream';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Opening, StreamTransport } from './transport.ts';
import { WritableConnection } from './writable-connection.ts';

/** Writes to standard output, or to another stream that it must not end. */
export class StdoutTransport implements StreamTransport {
  readonly address = 'stdout:';
  readonly #stream: Writable;
  readonly #options: { readonly clock: Clock; readonly writeTimeoutMs: number; readonly keepOpen: true };

  constructor(stream: Writable = process.stdout, options: StdoutTransportOptions = {}) {
    this.#stream = stream;
    this.#options = {
      clock: options.clock ?? systemClock,
      writeTimeoutMs: options.writeTimeoutMs ?? A_LONG_TIME_MS,
      keepOpen: true,
    };
  }

  open(): Promise<Opening> {
    return Promise.resolve({
      kind: 'open',
      connection: new WritableConnection(this.#stream, this.#options),
    });
  }
}

export interface StdoutTransportOptions {
  readonly clock?: Clock | undefined;
  /** Default: none, since the reader, such as a terminal, may pause. */
  readonly writeTimeoutMs?: number | undefined;
}

const A_LONG_TIME_MS = 2 ** 31 - 1;
