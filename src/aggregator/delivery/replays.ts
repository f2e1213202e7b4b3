import { type Batch, batchOf } from '../../records/batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { DeadLetterId, DeadLetters } from '../../storage/queue-contract.ts';
import type { DeliveryEvents } from './events.ts';

export interface Replay {
  readonly id: DeadLetterId;
  readonly batch: Batch;
}

/** The dead letters of one emitter for which a replay was asked, one after another. */
export class Replays {
  readonly #deadLetters: DeadLetters;
  readonly #emitter: string;
  readonly #clock: Clock;
  readonly #events: DeliveryEvents;
  /** Requests of an earlier run are found at the start. */
  #isListWanted = true;
  /** The next one last. */
  #ids: DeadLetterId[] = [];
  #notBeforeMs = 0;
  /** In a row. */
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

  /** Look again: there may be others. Nothing may be on its way to a commit when the list is made. */
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

  /** How long until there is something to do; infinite when there is nothing. */
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
        this.#events.deadLetterUnreadable(id, error);
      }
    }
    return undefined;
  }

  delivered(): void {
    this.#failures = 0;
  }

  /** The destination could not take it now. Other batches go on in the meantime. */
  postpone({ id }: Replay, delayMsAfter: (failures: number) => number): number {
    this.#failures++;
    const delayMs = delayMsAfter(this.#failures);
    this.#ids.push(id);
    this.#notBeforeMs = this.#clock.monotonicMs() + delayMs;
    return delayMs;
  }
}
