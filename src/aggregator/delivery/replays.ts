import { type Batch, batchOf } from '../../records/batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { DeadLetterId, DeadLetters } from '../../storage/queue/queue-contract.ts';
import type { DeliveryEvents } from './events.ts';

/** The dead letters of one emitter that are to be replayed, one after another. */
export class Replays {
  readonly #deadLetters: DeadLetters;
  readonly #emitter: string;
  readonly #clock: Clock;
  readonly #events: DeliveryEvents;
  /** Finds the requests of an earlier run at the start. */
  #isListWanted = true;
  /** The next one last. */
  #ids: DeadLetterId[] = [];
  #notBeforeMs = 0;
  /** Consecutive failures. */
  #failures = 0;

  constructor(
    { deadLetters, emitter, clock }: { deadLetters: DeadLetters; emitter: string; clock: Clock },
    events: DeliveryEvents,
  ) {
    this.#deadLetters = deadLetters;
    this.#emitter = emitter;
    this.#clock = clock;
    this.#events = events;
  }

  /** True when the list may be outdated. It must not be read again while a commit is pending. */
  get isListWanted(): boolean {
    return this.#isListWanted;
  }

  requested(): void {
    this.#isListWanted = true;
  }

  list(): void {
    this.#isListWanted = false;
    this.#ids = this.#deadLetters
      .replaying(this.#emitter)
      .map(({ id }) => id)
      .reverse();
  }

  get isEmpty(): boolean {
    return this.#ids.length === 0;
  }

  /** Time until the next replay; infinite when there is none. */
  get msUntilDue(): number {
    if (this.isEmpty) return Number.POSITIVE_INFINITY;
    return Math.max(this.#notBeforeMs - this.#clock.monotonicMs(), 0);
  }

  async next(): Promise<Replay | undefined> {
    for (let id = this.#ids.pop(); id !== undefined; id = this.#ids.pop()) {
      try {
        const records = await this.#deadLetters.read(id);
        if (records !== undefined) return { id, batch: batchOf([records]) };
      } catch (error) {
        this.#events.deadLetterUnreadable({ id, err: error });
      }
    }
    return undefined;
  }

  delivered(): void {
    this.#failures = 0;
  }

  /** The destination cannot accept the replay now. Other batches continue in the meantime. */
  postpone({ id }: Replay, delayMsAfter: (failures: number) => number): number {
    this.#failures++;
    const delayMs = delayMsAfter(this.#failures);
    this.#ids.push(id);
    this.#notBeforeMs = this.#clock.monotonicMs() + delayMs;
    return delayMs;
  }
}

export interface Replay {
  readonly id: DeadLetterId;
  readonly batch: Batch;
}
