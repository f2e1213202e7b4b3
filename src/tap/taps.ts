import type { RecordBatch } from '../records/record-batch.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HttpAnswer, HttpRequest } from '../runtime/http/http-contract.ts';
import { HttpError } from '../runtime/http/http-error.ts';
import { Tap } from './tap.ts';
import type { TapRequest } from './tap-request.ts';

/** Each takes some time of the process. */
const MAX_TAPS = 4;

/** Whether a batch passes the point of a tap. `place`: where it is now, such as the name of a source. */
export type TapSelector = (batch: RecordBatch, place: string) => boolean;

interface OpenTap {
  readonly tap: Tap;
  readonly selects: TapSelector;
}

/**
 * The open taps of a process. The path of the records offers each batch, which costs the test of an empty list while
 * no tap is open.
 */
export class Taps {
  readonly #clock: Clock;
  readonly #open = new Set<OpenTap>();
  #reserved = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Never throws, and never waits. The bytes of the batch are only read during the call. */
  offer(batch: RecordBatch, place: string): void {
    if (this.#open.size === 0) return;
    for (const { tap, selects } of this.#open) if (selects(batch, place)) tap.offer(batch);
  }

  isTapped(batch: RecordBatch, place: string): boolean {
    for (const { selects } of this.#open) if (selects(batch, place)) return true;
    return false;
  }

  /** A batch passes a place, and is not offered. */
  missed(batch: RecordBatch, place: string): void {
    for (const { tap, selects } of this.#open) if (selects(batch, place)) tap.missed(batch.sizes.length);
  }

  /** Throws HttpError if too many taps are open. */
  open(request: TapRequest, selects: TapSelector, { signal }: Pick<HttpRequest, 'signal'>): HttpAnswer {
    this.#reserve(signal);
    return {
      contentType: 'text/event-stream; charset=utf-8',
      body: async (sink, ended) => {
        const tap = new Tap(request, sink, this.#clock);
        const opened = { tap, selects };
        this.#open.add(opened);
        try {
          await tap.follow(ended);
        } finally {
          this.#open.delete(opened);
        }
      },
    };
  }

  /** The place is free again when the exchange has ended. */
  #reserve(signal: AbortSignal): void {
    if (this.#reserved >= MAX_TAPS)
      throw new HttpError(
        429,
        'busy',
        `At most ${MAX_TAPS} taps can be open. End another one, and try again.`,
      );
    if (signal.aborted) throw new HttpError(503, 'busy', 'The client has disconnected.');
    this.#reserved++;
    signal.addEventListener('abort', () => this.#reserved--, { once: true });
  }
}
