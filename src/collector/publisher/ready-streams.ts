import type { PublishedStream } from './published-stream.ts';

/** Turns of quiet streams in a row while a busy stream waits. */
const QUIET_IN_A_ROW = 8;

/**
 * The streams of a call that have something to send, each once, and their turns. A stream without unanswered batches
 * is quiet: it has its turn before the busy ones, so that a new line does not wait for a batch of each of them. Of quiet
 * and of busy streams, the one that waits longest is the next.
 */
export class ReadyStreams {
  readonly #quiet = new Set<PublishedStream>();
  readonly #busy = new Set<PublishedStream>();
  #quietInARow = 0;

  add(stream: PublishedStream): void {
    if (this.#quiet.has(stream) || this.#busy.has(stream)) return;
    (stream.unanswered.size === 0 ? this.#quiet : this.#busy).add(stream);
  }

  /** Removes and returns the next stream. */
  take(): PublishedStream | undefined {
    const isBusyDue = this.#quietInARow >= QUIET_IN_A_ROW && this.#busy.size > 0;
    const [first, second] = isBusyDue ? [this.#busy, this.#quiet] : [this.#quiet, this.#busy];
    const [stream] = first.size > 0 ? first : second;
    if (stream === undefined) return undefined;
    this.#quietInARow = this.#busy.delete(stream) ? 0 : this.#quietInARow + 1;
    this.#quiet.delete(stream);
    return stream;
  }
}
