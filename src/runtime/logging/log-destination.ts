import { write, writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/** Text that may wait for a slow reader of the log; beyond it lines are discarded, and the data path continues. */
const MAX_WAITING_CHARS = 1024 * 1024;
const RETRY_MS = 100;
const RETRIES_AT_END = 10;

/**
 * Writes log lines to a file descriptor without blocking the event loop. A line that cannot be written (a
 * full disk, a limit of the file size, a closed pipe) is discarded: neither the data path nor the end of the
 * process waits for a log. pino's own destination retries such a write at the end of the process without a
 * limit.
 */
export class LogDestination implements DestinationStream {
  readonly #fd: number;
  #lines: string[] = [];
  #chars = 0;
  #isWriting = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: string): void {
    if (this.#chars + line.length > MAX_WAITING_CHARS) return;
    this.#lines.push(line);
    this.#chars += line.length;
    if (!this.#isWriting) this.#writeNext();
  }

  /**
   * Writes the queued lines, at the end of the process. Returns within about a second, also if writes fail.
   */
  flushSync(): void {
    let rest = this.#takeAll();
    for (let retries = 0; rest.length > 0; ) {
      try {
        rest = rest.subarray(writeSync(this.#fd, rest));
      } catch (error) {
        if (!isBusy(error) || ++retries > RETRIES_AT_END) return;
        pause(RETRY_MS);
      }
    }
  }

  #writeNext(): void {
    this.#isWriting = this.#lines.length > 0;
    if (this.#isWriting) this.#writeRest(this.#takeAll());
  }

  #writeRest(rest: Buffer): void {
    write(this.#fd, rest, (error, written) => {
      if (error !== null && isBusy(error)) setTimeout(() => this.#writeRest(rest), RETRY_MS).unref();
      else if (error !== null || written === rest.length) this.#writeNext();
      else this.#writeRest(rest.subarray(written));
    });
  }

  #takeAll(): Buffer {
    const text = this.#lines.join('');
    this.#lines = [];
    this.#chars = 0;
    return Buffer.from(text);
  }
}

/** The descriptor does not block, and its reader is slow. */
function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EBUSY';
}

function pause(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}
