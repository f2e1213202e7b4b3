import type { Batch } from '../../records/batch.ts';
import type { Emitter, EmitterEnvironment } from '../emitter.ts';
import { DELIVERED, type Delivered, type Outcome, retry } from '../outcome.ts';
import { untilAborted } from '../until-aborted.ts';
import type { TextConfiguration } from './configuration.ts';
import { printedSlice } from './printed-slice.ts';

/**
 * Prints records to standard output. At-least-once: what was printed cannot be taken back, so what is emitted again is
 * printed again.
 *
 * One write at a time, and `emit` waits for it: a reader that is slow, or does not read at all, costs the memory of one
 * slice and no more. A write that an abort left behind goes on by itself; the next `emit` waits for it first.
 */
export class TextEmitter implements Emitter {
  readonly #format: TextConfiguration['format'];
  readonly #stdout: NodeJS.WritableStream;
  readonly #isTerminal: boolean;
  /** The last write; resolves to what went wrong with it. */
  #pending: Promise<Error | undefined> = Promise.resolve(undefined);
  #started = false;

  constructor(configuration: TextConfiguration, { stdout }: EmitterEnvironment) {
    this.#format = configuration.format;
    this.#stdout = stdout;
    this.#isTerminal = 'isTTY' in stdout && stdout.isTTY === true;
  }

  async start(): Promise<void> {
    // Without a listener an error on the stream would end the process. The write's callback has it too.
    this.#stdout.on('error', ignore);
    this.#started = true;
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    if ((await untilAborted(this.#pending, signal)) === 'aborted') return NOT_READ;
    for (const slice of batch.slices) {
      // A stream that has failed takes writes and never answers them.
      if (!this.#stdout.writable) return CLOSED;
      this.#pending = this.#write(printedSlice(slice, this.#format, this.#isTerminal));
      const failure = await untilAborted(this.#pending, signal);
      if (failure === 'aborted') return NOT_READ;
      if (failure !== undefined) return retry(reasonOf(failure));
    }
    return DELIVERED;
  }

  /** Nothing is held: what `emit` has delivered, the operating system has. */
  async flush(): Promise<Delivered> {
    return DELIVERED;
  }

  async stop(deadline: AbortSignal): Promise<void> {
    if (!this.#started) return;
    this.#started = false;
    const settled = this.#pending.then(() => {
      this.#stdout.removeListener('error', ignore);
    });
    await untilAborted(settled, deadline);
  }

  #write(bytes: Uint8Array): Promise<Error | undefined> {
    return new Promise((resolve) => {
      this.#stdout.write(bytes, (error) => resolve(error ?? undefined));
    });
  }
}

const CLOSED = retry('standard output is closed: nobody reads it');
const NOT_READ = retry('standard output is not being read');

function ignore(): void {}

function reasonOf(error: NodeJS.ErrnoException): string {
  const why = error.code ?? error.message;
  return why === 'EPIPE' ? `${CLOSED.reason} (EPIPE)` : `standard output cannot be written to (${why})`;
}
