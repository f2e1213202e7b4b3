import type { Batch } from '../../records/batch.ts';
import { untilAborted } from '../../runtime/async/until-aborted.ts';
import type { Emitter, EmitterEnvironment } from '../emitter.ts';
import { DELIVERED, type Delivered, type Outcome, retry } from '../outcome.ts';
import type { TextConfiguration } from './configuration.ts';
import { printedSlice } from './printed-slice.ts';

/**
 * Prints records to standard output. At-least-once: output cannot be rolled back, so records emitted again
 * are printed again.
 *
 * One write at a time, and `emit` waits for it: a slow or stopped reader costs the memory of one slice. After
 * an abort the write continues; the next `emit` waits for it first.
 */
export class TextEmitter implements Emitter {
  readonly #format: TextConfiguration['format'];
  readonly #stdout: NodeJS.WritableStream;
  readonly #isTerminal: boolean;
  /** The last write; resolves to its error. */
  #pending: Promise<Error | undefined> = Promise.resolve(undefined);
  #started = false;

  constructor(configuration: TextConfiguration, { stdout }: EmitterEnvironment) {
    this.#format = configuration.format;
    this.#stdout = stdout;
    this.#isTerminal = 'isTTY' in stdout && stdout.isTTY === true;
  }

  async start(): Promise<void> {
    // Without a listener, a stream error would end the process. The write callback receives it as well.
    this.#stdout.on('error', ignore);
    this.#started = true;
  }

  async emit(batch: Batch, signal: AbortSignal): Promise<Outcome> {
    if ((await untilAborted(this.#pending, signal)) === 'aborted') return NOT_READ;
    for (const slice of batch.slices) {
      // A failed stream accepts writes but never calls back.
      if (!this.#stdout.writable) return CLOSED;
      this.#pending = this.#write(printedSlice(slice, this.#format, this.#isTerminal));
      const failure = await untilAborted(this.#pending, signal);
      if (failure === 'aborted') return NOT_READ;
      if (failure !== undefined) return retry(reasonOf(failure));
    }
    return DELIVERED;
  }

  /** Has nothing to do: `emit` waits until the operating system has accepted the bytes. */
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

const CLOSED = retry('standard output is closed: it has no reader');
const NOT_READ = retry('standard output is not being read');

function ignore(): void {}

function reasonOf(error: NodeJS.ErrnoException): string {
  const why = error.code ?? error.message;
  return why === 'EPIPE' ? `${CLOSED.reason} (EPIPE)` : `cannot write to standard output (${why})`;
}
