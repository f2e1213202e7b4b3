import { constants, createWriteStream, fstat, open } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Opening, StreamTransport } from './transport.ts';
import { failureOf } from './transport-failure.ts';
import { DEFAULT_WRITE_TIMEOUT_MS, WritableConnection } from './writable-connection.ts';

/** Appends to a file, which it creates if it is missing; or writes to a named pipe that has a reader. */
export class FileTransport implements StreamTransport {
  readonly address: string;
  readonly #path: string;
  readonly #options: { readonly clock: Clock; readonly writeTimeoutMs: number };

  constructor(path: string, options: FileTransportOptions = {}) {
    this.address = `file:${path}`;
    this.#path = path;
    this.#options = {
      clock: options.clock ?? systemClock,
      writeTimeoutMs: options.writeTimeoutMs ?? DEFAULT_WRITE_TIMEOUT_MS,
    };
  }

  async open(): Promise<Opening> {
    try {
      // Without O_NONBLOCK, a pipe without a reader would block a thread; with it, opening fails (ENXIO).
      const fd = await openFile(this.#path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, MODE);
      const isPipe = (await fstatFile(fd)).isFIFO();
      const stream = isPipe
        ? new Socket({ fd, readable: false, writable: true })
        : createWriteStream('', { fd });
      return { kind: 'open', connection: new WritableConnection(stream, this.#options) };
    } catch (error) {
      const failure = failureOf(error);
      const reason = failure.code === 'ENXIO' ? 'the pipe has no reader' : failure.reason;
      return { kind: 'failed', failure: { ...failure, reason } };
    }
  }
}

export interface FileTransportOptions {
  readonly clock?: Clock | undefined;
  readonly writeTimeoutMs?: number | undefined;
}

const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
const MODE = 0o640;
// Plain descriptors: a FileHandle would close a descriptor that a socket now owns.
const openFile = promisify(open);
const fstatFile = promisify(fstat);
